import { dropStore } from "../core/drop";
import { store } from "../core/state";
import { Answers } from "./answers";
import { Bar, Tools } from "./bar";
import { Empty } from "./empty";
import { Help } from "./help";
import { Imports } from "./imports";
import { Rail } from "./rail";
import { Score } from "./score";
import { Tiles } from "./tiles";
import { useApp, useStore } from "./hooks";

export function App() {
  const layout = useApp((s) => s.layout);
  const waiting = useApp((s) => s.devices !== null && s.devices.length === 0);
  const over = useStore(dropStore, (s) => s.over);
  const help = useApp((s) => s.dialog === "help");
  return (
    <div class={"app " + layout}>
      <Bar />
      <main>{waiting ? <Empty /> : <Live />}</main>
      {layout === "phone" && !waiting && <BottomBar />}
      {over && <div class="drop_over">Drop GPU-Z logs to read them</div>}
      <Imports />
      {help && <Help />}
    </div>
  );
}

function Live() {
  const lists = useApp((s) => s.layout === "phone" && s.lists);
  if (lists) {
    return (
      <>
        <Tools />
        <Rail />
      </>
    );
  }
  return (
    <>
      <Answers />
      <Tiles />
      <div class="body">
        <Score />
        <PhoneOrRail />
      </div>
    </>
  );
}

/** On the phone the lists have a place of their own. */
function PhoneOrRail() {
  const phone = useApp((s) => s.layout === "phone");
  return phone ? null : <Rail />;
}

function BottomBar() {
  const lists = useApp((s) => s.lists);
  const show = (value: boolean) => {
    store.set({ lists: value });
    window.scrollTo(0, 0);
  };
  return (
    <nav class="bottom_bar" aria-label="Parts of the page">
      <button aria-current={lists ? undefined : "page"} onClick={() => show(false)}>Live</button>
      <button aria-current={lists ? "page" : undefined} onClick={() => show(true)}>Lists</button>
    </nav>
  );
}
