import type { Alert, Answers, Device, Health, Job, Outlet, QueryResult, Rule, Session, Source, Stats, Window } from "./types";

const base = "/api/v1/";

export interface DeviceKey {
  host: string;
  gpu: string;
}

export interface Span {
  from: number;
  to: number;
}

/** What the server said when it refused; `kind` is usage, input or operation. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

type Parameters = Record<string, string | number | undefined>;

function address(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  const text = query.toString();
  return base + path + (text ? "?" + text : "");
}

/** Throws ApiError for a refusal, and what fetch throws (TypeError, AbortError) when nobody answers. */
async function get<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<T> {
  const response = await fetch(address(path, parameters), { signal: signal ?? null });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { kind: string; message: string } };
    return new ApiError(response.status, error.kind, error.message);
  } catch {
    return new ApiError(response.status, "operation", `the server answered ${response.status}`);
  }
}

/** A whole device has more than its key. */
function key({ host, gpu }: DeviceKey): Parameters {
  return { host, gpu };
}

// Instants go out as whole milliseconds that take in the row: the largest not above `from`, the
// least not below `to`, since rows of one second are a microsecond apart.
function range(device: DeviceKey, span: Span): Parameters {
  return { ...key(device), from: Math.floor(span.from), to: Math.ceil(span.to) };
}

export const api = {
  devices: (signal?: AbortSignal) => get<Device[]>("devices", {}, signal),
  rules: (signal?: AbortSignal) => get<Rule[]>("rules", {}, signal),
  query: (device: DeviceKey, metrics: string[], span: Span, points: number, signal?: AbortSignal) =>
    get<QueryResult>("query", { ...range(device, span), metric: metrics.join(","), points }, signal),
  stats: (device: DeviceKey, span: Span, signal?: AbortSignal) => get<Stats>("stats", range(device, span), signal),
  answers: (device: DeviceKey, span: Span, signal?: AbortSignal) =>
    get<Answers>("answers", range(device, span), signal),
  sources: (device: DeviceKey, signal?: AbortSignal) => get<Source[]>("sources", key(device), signal),
  outlets: () => get<Outlet[]>("outlets"),
  sessions: (device: DeviceKey, signal?: AbortSignal) => get<Session[]>("sessions", key(device), signal),
  windows: (device: DeviceKey, span: Span, limit: number, signal?: AbortSignal) =>
    get<Window[]>("windows", { ...range(device, span), limit }, signal),
  alerts: (device: DeviceKey, span: Span, signal?: AbortSignal) =>
    get<Alert[]>("alerts", { ...range(device, span), limit: 500 }, signal),
  job: (id: string) => get<Job>("logs/" + encodeURIComponent(id)),
  cancelJob: (id: string) => fetch(base + "logs/" + encodeURIComponent(id), { method: "DELETE" }),
};

/** Sends one log file. The promise has the job's id; `progress` gets the bytes sent so far. */
export function uploadLog(file: File, signal: AbortSignal, progress: (sent: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    // XMLHttpRequest, since fetch cannot tell how much of a body has been sent.
    const request = new XMLHttpRequest();
    request.open("POST", address("logs", { name: file.name }));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onerror = () => reject(new ApiError(0, "operation", "the connection to gpulse was lost"));
    request.onabort = () => reject(new ApiError(0, "cancelled", "cancelled"));
    request.onload = () => {
      try {
        const body = JSON.parse(request.responseText) as { job?: string; error?: { kind: string; message: string } };
        if (body.job !== undefined) return resolve(String(body.job));
        reject(new ApiError(request.status, body.error?.kind ?? "operation", body.error?.message ?? "refused"));
      } catch {
        reject(new ApiError(request.status, "operation", `the server answered ${request.status}`));
      }
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** What gpulse waits for. While a device is stale the answer is 503, and the same. */
export async function health(): Promise<Health> {
  const response = await fetch("/healthz");
  if (!response.ok && response.status !== 503) throw await refusal(response);
  return (await response.json()) as Health;
}
