import { chooseFiles } from "../core/imports";

/** No log, no device, nothing imported: what to do. */
export function Empty() {
  return (
    <section class="empty">
      <h2>Turn on logging in GPU-Z</h2>
      <ol>
        <li><span><b>Open the Sensors tab</b> and tick <b>Log to file</b> at the bottom.</span></li>
        <li><span><b>Save it as</b> the file that gpulse was started with. gpulse waits for that file.</span></li>
        <li><span><b>Leave GPU-Z open.</b> The first row appears here about a second later.</span></li>
      </ol>
      <button class="drop_here" onClick={chooseFiles}>
        Have an old log? Drop it anywhere on this page, or press <kbd>o</kbd> to choose one
      </button>
    </section>
  );
}
