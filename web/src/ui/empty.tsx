import { useEffect, useState } from "preact/hooks";
import { health } from "../api/client";
import type { Health } from "../api/types";
import { chooseFiles } from "../core/imports";
import { Outlets } from "./outlets";

/** How soon the page hears that a log was found in which there is no row yet. */
const askEveryMs = 2000;

/** No log, no device, nothing imported: what to do. */
export function Empty() {
  const waits = useHealth();
  return (
    <section class="empty">
      <h2>Turn on logging in GPU-Z</h2>
      <ol>
        <li><span><b>Open the Sensors tab</b> and tick <b>Log to file</b> at the bottom.</span></li>
        <li><span>{waits ? <Where {...waits} /> : <b>Save it.</b>}</span></li>
        <li><span><b>Leave GPU-Z open.</b> The first row appears here about a second later.</span></li>
      </ol>
      <button class="drop_here" onClick={chooseFiles}>
        Have an old log? Drop it anywhere on this page, or press <kbd>o</kbd> to choose one
      </button>
      {waits !== undefined && waits.searched.length > 0 && (
        <div class="places">
          <p>gpulse looks for “GPU-Z Sensor Log.txt” in</p>
          <ul>{waits.searched.map((place) => <li key={place}>{place}</li>)}</ul>
        </div>
      )}
      <Outlets />
    </section>
  );
}

function Where({ followed, searched }: Health) {
  const [file] = followed;
  if (file !== undefined) return <><b>Save it as</b> {file}. gpulse waits for its rows.</>;
  if (searched.length > 0) {
    return <><b>Save it on the desktop</b>, or in documents or downloads, under the name that GPU-Z offers. gpulse finds it there.</>;
  }
  return <><b>Save it</b>, and start gpulse with its name: <code>gpulse run "GPU-Z Sensor Log.txt"</code></>;
}

function useHealth(): Health | undefined {
  const [waits, setWaits] = useState<Health>();
  useEffect(() => {
    // When nobody answers, the connection's own state says so.
    const ask = () => void health().then(setWaits, () => undefined);
    ask();
    const timer = setInterval(ask, askEveryMs);
    return () => clearInterval(timer);
  }, []);
  return waits;
}
