import { currentDevice, serverNow, store } from "../core/state";
import { formatAge, formatDuration } from "../format/time";
import { formatNumber } from "../format/number";
import { CrossMark } from "./icons";
import { useApp, useClock, zoneOf } from "./hooks";

type Kind = "live" | "opening" | "waiting" | "stale" | "lost" | "ended" | "held";

interface Words {
  kind: Kind;
  text: string;
  /** On the phone. */
  short: string;
}

function words(): Words {
  const state = store.get();
  const device = currentDevice(state);
  if (state.connection.kind === "lost") {
    const seconds = Math.max(0, Math.ceil((state.connection.retryAt - Date.now()) / 1000));
    const again = seconds > 0 ? `again in ${seconds} s` : "trying";
    return { kind: "lost", text: `not connected · ${again}`, short: "not connected" };
  }
  if (state.devices === null) return { kind: "opening", text: "opening", short: "opening" };
  if (!device) return { kind: "waiting", text: "waiting for a log", short: "waiting" };
  if (state.held !== null) {
    const rows = `${formatNumber(state.held, 0)} new ${state.held === 1 ? "row" : "rows"}`;
    return { kind: "held", text: `held · ${rows}`, short: "held" };
  }
  if (device.ahead !== null) {
    const by = formatDuration((Date.parse(device.ahead) - Date.parse(device.last_arrival)) / 1000);
    return { kind: "stale", text: `dated ${by} ahead · is --timezone right?`, short: `${by} ahead` };
  }
  const age = formatAge(serverNow() - Date.parse(device.last_arrival));
  if (device.state === "ended") {
    const date = zoneOf(device.timezone).date(Date.parse(device.last));
    return { kind: "ended", text: `ended ${date}`, short: "ended" };
  }
  return { kind: device.state, text: `${device.state} · ${age}`, short: age };
}

/** ● live · 0.8 s. The age is the page's only motion. */
export function LiveState() {
  // Ages by the clock; what else it tells of, at once.
  useClock(200);
  useApp((s) => s.devices);
  useApp((s) => s.selected);
  useApp((s) => s.connection);
  useApp((s) => s.held);
  const phone = useApp((s) => s.layout === "phone");
  const { kind, text, short } = words();
  return (
    <div class={"live_state " + kind} role="status" aria-live="off" aria-label={text}>
      {kind === "lost" ? <CrossMark /> : <span class={"dot " + kind} aria-hidden="true">{kind === "held" ? "‖" : ""}</span>}
      <span>{phone ? short : text}</span>
    </div>
  );
}
