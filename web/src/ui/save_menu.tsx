import { savePicture, saveTable } from "../core/save";
import { closeDialog, menuKeys, useFocusInside } from "./hooks";

export function SaveMenu() {
  const ref = useFocusInside<HTMLDivElement>();
  const run = (save: () => Promise<void>) => {
    closeDialog();
    void save();
  };
  return (
    <div class="menu right" role="menu" aria-label="Save" ref={ref} onKeyDown={menuKeys}>
      <button role="menuitem" class="menu_item" onClick={() => run(savePicture)}>
        Picture <span class="quiet">PNG of this view</span>
      </button>
      <button role="menuitem" class="menu_item" onClick={() => run(saveTable)}>
        Table <span class="quiet">CSV of this range</span>
      </button>
    </div>
  );
}
