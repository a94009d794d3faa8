import type { Alert, Device, Job, RowsEvent, Window } from "./types";

export interface LiveHandlers {
  hello(serverNow: number): void;
  rows(event: RowsEvent): void;
  device(device: Device): void;
  alert(alert: Alert): void;
  window(window: Window & { host: string; gpu: string }): void;
  job(job: Job): void;
  lost(retryAt: number): void;
}

const retryFirstMs = 1000;
const retryMaxMs = 8000;

/**
 * The server's pushed events, with reconnection of our own: EventSource does not say when it will
 * try again, and the page does ("not connected · again in 4 s").
 */
export class LiveConnection {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retryMs = retryFirstMs;

  constructor(private readonly handlers: LiveHandlers) {}

  open(): void {
    this.close();
    const source = new EventSource("/api/v1/live");
    this.source = source;
    const on = <T>(name: string, handle: (data: T) => void) =>
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data) as T));
    on<{ now: string }>("hello", ({ now }) => {
      this.retryMs = retryFirstMs;
      this.handlers.hello(Date.parse(now));
    });
    on("rows", this.handlers.rows);
    on("device", this.handlers.device);
    on("alert", this.handlers.alert);
    on("window", this.handlers.window);
    on("job", this.handlers.job);
    source.onerror = () => this.retry();
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** For whoever found that nobody answers, though the connection never ended. */
  giveUp(): void {
    if (this.source) this.retry();
  }

  private retry(): void {
    this.close();
    const wait = this.retryMs;
    this.retryMs = Math.min(wait * 2, retryMaxMs);
    this.timer = setTimeout(() => this.open(), wait);
    this.handlers.lost(Date.now() + wait);
  }
}
