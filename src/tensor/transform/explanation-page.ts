/** An explanation as a page without references to anything else: kernels in time, and a table of them. */
import type { Report, StepReport } from '../backend/backend.js';

interface Content {
  readonly graph: string;
  readonly report: Report | null;
  readonly traces: readonly { readonly reason: string }[];
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** Colours by what bounds a step. */
const kinds = {
  matmul: '#c44e52',
  rows: '#4c72b0',
  map: '#55a868',
  loop: '#8172b3',
  other: '#937860',
} as const;

const kindOf = ({ name, shape, steps }: StepReport): keyof typeof kinds => {
  if (name === 'matmul') return 'matmul';
  if (steps.length > 0) return 'loop';
  return shape.includes('*') ? 'rows' : shape.includes('→') ? 'other' : 'map';
};

/** Milliseconds of a step with its bodies. */
export const wholeMs = ({ ms, steps }: StepReport): number => steps.reduce((sum, each) => sum + wholeMs(each), ms ?? 0);

/** A step as a box as wide as its share of the time, its bodies' steps below it. */
const box = (step: StepReport, from: number, total: number, depth: number): string => {
  const own = wholeMs(step);
  const inner: string[] = [];
  let at = from;
  for (const each of step.steps) {
    inner.push(box(each, at, total, depth + 1));
    at += wholeMs(each);
  }
  const title = `${step.name}\n${step.shape}\n${own.toPrecision(3)} ms, ${step.flops} flops, ${step.bytes} bytes`;
  const style = `left:${(100 * from) / total}%;width:${(100 * own) / total}%;top:${26 * depth}px;background:${kinds[kindOf(step)]}`;
  return `<div class="box" style="${style}" title="${escaped(title)}">${escaped(step.name)}</div>${inner.join('')}`;
};

const depthOf = (steps: readonly StepReport[]): number =>
  steps.reduce((depth, { steps: inner }) => Math.max(depth, 1 + depthOf(inner)), 0);

const rows = (steps: readonly StepReport[], depth: number): string =>
  steps
    .map(step => {
      const cells = [step.times ?? '?', step.flops, step.bytes, step.ms?.toPrecision(3) ?? ''].map(
        cell => `<td>${cell}</td>`,
      );
      const indent = `style="padding-left:${0.5 + 1.5 * depth}em"`;
      return `<tr><td ${indent}>${escaped(step.name)}</td><td>${escaped(step.shape)}</td>${cells.join('')}</tr>${rows(step.steps, depth + 1)}`;
    })
    .join('\n');

const style = `
body{font:14px system-ui,sans-serif;margin:2em auto;max-width:76em;padding:0 1em;color:#222}
.time{position:relative;overflow:hidden;background:#eee}
.box{position:absolute;height:24px;line-height:24px;overflow:hidden;white-space:nowrap;color:#fff;font-size:11px;box-sizing:border-box;border-right:1px solid #fff;padding-left:2px}
table{border-collapse:collapse;margin-top:1em;width:100%}
td,th{padding:.2em .5em;border-bottom:1px solid #ddd;text-align:right;font-variant-numeric:tabular-nums}
td:nth-child(-n+2),th:nth-child(-n+2){text-align:left;word-break:break-word}
pre{background:#f6f6f6;padding:1em;overflow:auto}
.key span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}`;

export const explanationPage = ({ graph, report, traces }: Content): string => {
  const steps = report?.steps ?? [];
  const total = steps.reduce((sum, step) => sum + wholeMs(step), 0) || 1;
  let at = 0;
  const boxes = steps.map(step => {
    const drawn = box(step, at, total, 0);
    at += wholeMs(step);
    return drawn;
  });
  const key = Object.entries(kinds).map(([name, colour]) => `<span style="background:${colour}"></span>${name}`);
  const summary =
    report === null
      ? 'The backend has nothing to tell.'
      : `${steps.length} ${steps.length === 1 ? 'step' : 'steps'} on the ${report.backend} backend in ${total.toPrecision(3)} ms; ${report.memory.arena} bytes planned, ${report.memory.inputs} of inputs, ${report.memory.outputs} of outputs; planned in ${report.planMs.toPrecision(3)} ms, written in ${report.emitMs.toPrecision(3)} ms.`;
  const traced =
    traces.length === 0
      ? ''
      : `<h2>Traces</h2><ol>${traces.map(({ reason }) => `<li>${escaped(reason)}</li>`).join('')}</ol>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tenfold: kernels in time</title><style>${style}</style></head><body>
<h1>Kernels in time</h1><p>${summary}</p>
<div class="time" style="height:${26 * Math.max(1, depthOf(steps))}px">${boxes.join('')}</div>
<p class="key">${key.join('')}</p>
<table><thead><tr><th>kernel</th><th>space (* reduced)</th><th>times</th><th>flops</th><th>bytes</th><th>ms</th></tr></thead>
<tbody>${rows(steps, 0)}</tbody></table>
${traced}<h2>Graph</h2><pre>${escaped(graph)}</pre>
</body></html>
`;
};
