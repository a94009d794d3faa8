import { setRange } from "../core/actions";
import { currentDevice, store } from "../core/state";
import { openDevice } from "../core/loader";
import { toggleTheme } from "../core/theme";
import { presets, sameRange, type Range } from "../model/range";
import type { Device } from "../api/types";
import { ChevronIcon, ChipIcon, HelpIcon, MoonIcon, PulseMark, SaveIcon, SunIcon } from "./icons";
import { closeDialog, menuKeys, useApp, useFocusInside, zoneOf } from "./hooks";
import { LiveState } from "./live_state";
import { OutletTrouble } from "./outlets";
import { SaveMenu } from "./save_menu";

export function Bar() {
  const phone = useApp((s) => s.layout === "phone");
  const hasDevice = useApp((s) => currentDevice(s) !== null);
  return (
    <header class="bar">
      <h1 class="brand">
        <PulseMark />
        <span class="brand_name">gpulse</span>
      </h1>
      <DevicePicker />
      <span class="bar_space" />
      {hasDevice && (phone ? <RangeMenu /> : <Ranges />)}
      <OutletTrouble />
      <LiveState />
      {!phone && <Tools />}
    </header>
  );
}

/** Save, theme, keys; on the phone they stand above the lists. */
export function Tools() {
  const theme = useApp((s) => s.theme);
  const dialog = useApp((s) => s.dialog);
  const hasDevice = useApp((s) => currentDevice(s) !== null);
  return (
    <span class="bar_icons">
      {hasDevice && (
        <span class="menu_at">
          <button class="icon_button" aria-haspopup="menu" aria-expanded={dialog === "save"} title="Save picture or table (s)"
            aria-label="Save picture or table" onClick={() => store.set({ dialog: dialog === "save" ? null : "save" })}>
            <SaveIcon />
          </button>
          {dialog === "save" && <SaveMenu />}
        </span>
      )}
      <button class="icon_button" title="Theme (t)" aria-label={theme === "dark" ? "Light theme" : "Dark theme"}
        onClick={toggleTheme}>
        {theme === "dark" ? <SunIcon /> : <MoonIcon />}
      </button>
      <button class="icon_button" title="Keys (?)" aria-label="Keys" aria-haspopup="dialog"
        onClick={() => store.set({ dialog: "help" })}>
        <HelpIcon />
      </button>
    </span>
  );
}

function DevicePicker() {
  const devices = useApp((s) => s.devices);
  const device = useApp(currentDevice);
  const open = useApp((s) => s.dialog === "device");
  const name = device ? `${device.host} / ${device.gpu}` : devices ? "no device yet" : "opening";
  return (
    <span class="menu_at device_picker">
      <button class="control" aria-haspopup="listbox" aria-expanded={open} aria-label={`Device: ${name}`} title={name}
        disabled={!devices?.length} onClick={() => store.set({ dialog: open ? null : "device" })}>
        <ChipIcon />
        <span class="ellipsis">{name}</span>
        <ChevronIcon />
      </button>
      {open && devices && <DeviceMenu devices={devices} selected={device} />}
    </span>
  );
}

function DeviceMenu({ devices, selected }: { devices: Device[]; selected: Device | null }) {
  const ref = useFocusInside<HTMLDivElement>();
  const choose = (device: Device) => {
    closeDialog();
    if (device !== selected) void openDevice(device, null);
  };
  return (
    <div class="menu device_menu" role="listbox" aria-label="Devices" ref={ref} onKeyDown={menuKeys}>
      {devices.map((device) => (
        <button key={device.host + "/" + device.gpu} role="option" class="menu_item" aria-selected={device === selected}
          onClick={() => choose(device)}>
          <span class="ellipsis">{device.host} / {device.gpu}</span>
          <span class="quiet">
            {device.state === "ended" ? "ended " + zoneOf(device.timezone).date(Date.parse(device.last)) : device.state}
          </span>
        </button>
      ))}
    </div>
  );
}

function isChosen(range: Range, current: Range): boolean {
  return sameRange(range, current) || (range.kind === "newest" && current.kind === "session");
}

function Ranges() {
  const range = useApp((s) => s.range);
  return (
    <div class="segments" role="group" aria-label="Range">
      {presets.map((preset) => (
        <button key={preset.key} aria-pressed={isChosen(preset.range, range)} title={`Range (${preset.key})`}
          onClick={() => setRange(preset.range, false)}>
          {preset.label}
        </button>
      ))}
    </div>
  );
}

function RangeMenu() {
  const range = useApp((s) => s.range);
  const open = useApp((s) => s.dialog === "range");
  const label = presets.find((p) => isChosen(p.range, range))?.label ?? "zoom";
  return (
    <span class="menu_at">
      <button class="control" aria-haspopup="menu" aria-expanded={open} aria-label={`Range: ${label}`}
        onClick={() => store.set({ dialog: open ? null : "range" })}>
        {label}
        <ChevronIcon />
      </button>
      {open && <RangeItems range={range} />}
    </span>
  );
}

function RangeItems({ range }: { range: Range }) {
  const ref = useFocusInside<HTMLDivElement>();
  return (
    <div class="menu right" role="menu" aria-label="Range" ref={ref} onKeyDown={menuKeys}>
      {presets.map((preset) => (
        <button key={preset.key} role="menuitemradio" class="menu_item" aria-checked={isChosen(preset.range, range)}
          onClick={() => { closeDialog(); setRange(preset.range, false); }}>
          {preset.label}
        </button>
      ))}
    </div>
  );
}
