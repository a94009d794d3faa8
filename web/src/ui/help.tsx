import { closeDialog } from "./hooks";
import { Panel } from "./dialog";

const keys: [string[], string][] = [
  [["?"], "this list"],
  [["1", "–", "7"], "ranges: 5 min, 15 min, 1 h, 6 h, 24 h, 7 d, session"],
  [["0"], "the whole log"],
  [["←", "→"], "cursor by a column, with Shift by ten"],
  [["+", "−"], "zoom at the cursor"],
  [["Backspace"], "back to the range before"],
  [["[", "]"], "session before, after"],
  [["a", "A"], "next, previous alert"],
  [["Space"], "hold the live view, and go on"],
  [["d"], "device"],
  [["o"], "open a log"],
  [["s"], "save picture or table"],
  [["t"], "dark or light"],
  [["Tab", "Enter"], "through the tables; hide or show a series"],
  [["Esc"], "close, cancel"],
];

const pointer: [string, string][] = [
  ["drag", "zoom into a stretch of time"],
  ["double-click", "back"],
  ["Shift-drag", "move along"],
  ["double-click a name", "that series alone"],
  ["press and hold, pinch", "cursor and zoom on a touch screen"],
];

export function Help() {
  return (
    <Panel title="Keys" action="Close" onAction={closeDialog} modal>
      <dl class="keys">
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>{names.map((name) => (name === "–" ? name : <kbd key={name}>{name}</kbd>))}</dt>
            <dd>{what}</dd>
          </div>
        ))}
        {pointer.map(([how, what]) => (
          <div key={how}>
            <dt>{how}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
