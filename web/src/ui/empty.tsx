import { useEffect, useState } from "preact/hooks";
import { followedFiles } from "../api/client";
import { chooseFiles } from "../core/imports";

/** No log, no device, nothing imported: what to do. */
export function Empty() {
  const [file, setFile] = useState<string>();
  useEffect(() => {
    // Whether it is known does not matter: the sentence is whole without it.
    followedFiles().then((files) => setFile(files[0]), () => undefined);
  }, []);
  return (
    <section class="empty">
      <h2>Turn on logging in GPU-Z</h2>
      <ol>
        <li><span><b>Open the Sensors tab</b> and tick <b>Log to file</b> at the bottom.</span></li>
        <li><span><b>Save it as</b> {file ?? "the file that gpulse was started with"}. gpulse waits for that file.</span></li>
        <li><span><b>Leave GPU-Z open.</b> The first row appears here about a second later.</span></li>
      </ol>
      <button class="drop_here" onClick={chooseFiles}>
        Have an old log? Drop it anywhere on this page, or press <kbd>o</kbd> to choose one
      </button>
    </section>
  );
}
