import { cancelRest, closeImports, importStore, openImported, type Import } from "../core/imports";
import { formatBytes, formatNumber, plural } from "../format/number";
import { CrossMark } from "./icons";
import { Panel } from "./dialog";
import { useStore } from "./hooks";

/** Dropped logs on their way in. The page stays usable beside it. */
export function Imports() {
  const list = useStore(importStore, (s) => s.list);
  if (!list.length) return null;
  const running = list.some((i) => i.state === "waiting" || i.state === "sending" || i.state === "reading");
  const failed = list.filter((i) => i.state === "failed").length;
  const title = !running && failed === list.length ? `${plural(failed, "file")} not read` : plural(list.length, "log");
  return (
    <Panel title={title} action={running ? "Cancel the rest" : "Close"} onAction={running ? cancelRest : closeImports}>
      <ul class="imports" aria-live="polite">
        {list.map((item, i) => <li key={item.file.name + i}>{item.state === "failed" ? <Failed item={item} /> : <Running item={item} />}</li>)}
      </ul>
    </Panel>
  );
}

/** Reading a log takes about as long as sending it: each is half the way. */
function shareOf({ state, sent, file, job }: Import): number {
  if (state === "sending") return file.size ? sent / file.size : 0;
  return job && job.bytes ? job.bytes_read / job.bytes : 0;
}

function Running({ item }: { item: Import }) {
  const { state, file, job } = item;
  const share = shareOf(item);
  const moving = state === "sending" || state === "reading";
  const done = state === "sending" ? item.sent : (job?.bytes_read ?? 0);
  return (
    <>
      <div class="import_line">
        <b class="ellipsis">{file.name}</b>
        <span>
          {state === "done" ? <>done · <button class="link" onClick={() => openImported(item)}>open</button></> : null}
          {moving ? `${state === "sending" ? "sent " : ""}${progressOf(done, file.size)}` : null}
          {state === "waiting" || state === "cancelled" ? state : null}
        </span>
      </div>
      <div class="import_line quiet">
        <span>{factsOf(item)}</span>
        {moving && <b>{Math.floor(share * 100)} %</b>}
      </div>
      {moving && (
        <div class="progress" role="progressbar" aria-label={file.name} aria-valuenow={Math.floor(share * 100)} aria-valuemin={0} aria-valuemax={100}>
          <div style={{ width: share * 100 + "%" }} />
        </div>
      )}
    </>
  );
}

function progressOf(done: number, all: number): string {
  const whole = formatBytes(all);
  const unit = whole.split(" ")[1] ?? "";
  const part = formatBytes(Math.min(done, all));
  return part.endsWith(" " + unit) ? `${part.slice(0, -unit.length - 1)} of ${whole}` : `${part} of ${whole}`;
}

function factsOf({ state, file, job }: Import): string {
  if (!job || state === "waiting") return formatBytes(file.size);
  if (state === "cancelled") return "nothing was kept";
  const rows = plural(job.rows, "row");
  const sessions = plural(job.sessions, "session");
  const aside = `${formatNumber(job.set_aside, 0)} set aside`;
  return state === "done" ? `${rows} in ${sessions} · ${aside}` : `${rows} so far · ${sessions} · ${aside}`;
}

function Failed({ item }: { item: Import }) {
  const { file, message, beginsWith } = item;
  const notALog = /no GPU-Z log/i.test(message);
  return (
    <div class="failed" role="alert">
      <p class="failed_sentence">
        <CrossMark size={12} /> {notALog ? `${file.name} is no GPU-Z log` : `${file.name} could not be read`}
      </p>
      {notALog ? (
        <p>
          It begins with <code>{beginsWith || "nothing"}</code>. A GPU-Z log begins with <code>Date , GPU Clock [MHz] , …</code>. Nothing was read.
        </p>
      ) : (
        <p>{message}</p>
      )}
    </div>
  );
}
