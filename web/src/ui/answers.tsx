import type { Answer, Device } from "../api/types";
import { zoomTo } from "../core/actions";
import { currentDevice, type State } from "../core/state";
import { formatNumber, plural } from "../format/number";
import { formatDuration } from "../format/time";
import { AlertMark, WarnMark } from "./icons";
import { useApp, useZone } from "./hooks";

/** The owner's three questions, in words. */
export function Answers() {
  const answers = useApp((s) => s.answers);
  const state = useApp(describe);
  const silent = useApp((s) => !isCurrent(s));
  const zone = useZone();
  const device = useApp(currentDevice);
  const hot = device && silent ? lastKnown(JSON.parse(state) as Known, zone.clock(Date.parse(device.last))) : answers?.too_hot;
  return (
    <section class={"answers" + (device?.state === "ended" ? " past" : "")} aria-label="Answers">
      <AnswerView answer={hot ?? unknown(device, true, "Too hot?")} />
      <AnswerView answer={answers?.held_back ?? unknown(device, false, "Held back?")} />
      <AnswerView answer={answers?.what_changed ?? unknown(device, false, "What changed?")} />
    </section>
  );
}

function isCurrent(s: State): boolean {
  return s.connection.kind !== "lost" && currentDevice(s)?.state !== "stale";
}

interface Known {
  lost: boolean;
  ended: boolean;
  reading: string | null;
}

// As text, so that the store's comparison sees that nothing changed.
function describe(s: State): string {
  const device = currentDevice(s);
  const first = ["gpu_temperature", "hot_spot_temperature", "memory_temperature", "cpu_temperature"];
  const metric = first.map((name) => device?.metrics.find((m) => m.name === name)).find((m) => m !== undefined);
  const value = metric ? s.now?.values.get(metric.name) : null;
  const reading = metric && value != null ? `${formatNumber(value, metric.decimals)} ${metric.unit}` : null;
  const known: Known = { lost: s.connection.kind === "lost", ended: device?.state === "ended", reading };
  return JSON.stringify(known);
}

function lastKnown({ lost, ended, reading }: Known, clock: string): Answer | null {
  // An old log does not become unknown because the page lost its server.
  if (ended) return null;
  const verb = lost ? "heard" : "seen";
  return {
    question: "Too hot?",
    level: "unknown",
    sentence: reading ? `Not known now. Last ${verb} ${reading}` : "Not known now",
    evidence: lost
      ? `at ${clock}. The log goes on without this page; gpulse reads on where it stopped.`
      : `at ${clock}. Is GPU-Z still open, with Log to file ticked?`,
  };
}

function unknown(device: Device | null, first: boolean, question: string): Answer {
  const evidence = first && device ? `${plural(device.rows, "row")} in ${spanOf(device)}` : "";
  return { question, level: "unknown", sentence: "Not known yet", evidence };
}

function spanOf(device: Device): string {
  return formatDuration((Date.parse(device.last) - Date.parse(device.first)) / 1000);
}

const marked = /^[◆▲✕]\s*/;

function AnswerView({ answer }: { answer: Answer }) {
  const { level, from, to } = answer;
  const sentence = answer.sentence.replace(marked, "");
  const body = (
    <>
      <span class="answer_sentence">
        {level === "over" && <AlertMark size={18} />}
        {(level === "near" || level === "was_over" || level === "limited") && <WarnMark size={18} />}
        {sentence}
      </span>
      <span class="answer_evidence" title={answer.evidence}>{answer.evidence}</span>
    </>
  );
  return (
    <div class={"answer " + level}>
      <h2 class="answer_question">{answer.question}</h2>
      {from && to ? (
        <button class="answer_body" title="Show this moment" onClick={() => zoomTo(Date.parse(from), Date.parse(to))}>
          {body}
        </button>
      ) : (
        <div class="answer_body">{body}</div>
      )}
    </div>
  );
}
