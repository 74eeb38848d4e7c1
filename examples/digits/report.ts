/**
 * The report of a run: one HTML page with everything it made, to open from disk or to send to someone. The pictures
 * travel inside the page; only the checkpoint stays a file next to it.
 */

export interface Report {
  readonly title: string;
  /** What the run was, line by line: a name and a value. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The only digit that was asked for; undefined when it was all ten. */
  readonly only?: number | undefined;
  readonly samplesPng: Uint8Array;
  readonly trajectoryPng: Uint8Array;
  readonly lossSvg: string;
  /** `file` is the path of the checkpoint as seen from the page. */
  readonly checkpoint: { readonly file: string; readonly bytes: number };
}

const entities: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
});

/** Text for use between tags and inside quoted attributes. */
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, char => entities[char] ?? char);

const dataUri = (type: string, content: Uint8Array | string): string =>
  `data:${type};base64,${Buffer.from(content).toString('base64')}`;

/** A relative link; encoding the parts keeps a name such as `javascript:x` from turning into a scheme. */
const link = (file: string): string => file.split('/').map(encodeURIComponent).join('/');

const formatBytes = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} bytes`;
  const [divisor, unit] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${(bytes / divisor).toFixed(1)} ${unit} (${bytes.toLocaleString('en-US')} bytes)`;
};

const style = `
:root { color-scheme: light dark; --ink: #1f2933; --soft: #5b6673; --line: #dde2e8; --paper: #fbfbfa; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa5b1; --line: #333a42; --paper: #14171a; --card: #1b1f24; }
  .chart img { filter: invert(0.9) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0 0 1.5rem; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 2.75rem 0 0.25rem; font-size: 1.15rem; }
p { margin: 0 0 0.9rem; color: var(--soft); }
dl { display: grid; grid-template-columns: minmax(min-content, max-content) 1fr; gap: 0.3rem 1.5rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.picture { overflow-x: auto; padding: 1rem; border: 1px solid var(--line); border-radius: 0.6rem; background: var(--card); }
.picture img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.pixels img { image-rendering: pixelated; }
.chart { padding: 0; }
.chart img { width: 100%; min-width: 34rem; }
a { color: inherit; text-underline-offset: 0.2em; overflow-wrap: anywhere; }
`.trim();

const section = (heading: string, text: string, body: string): string =>
  `<section>\n<h2>${heading}</h2>\n<p>${text}</p>\n${body}\n</section>`;

/** A picture wider than a phone can be scrolled sideways, with the keyboard as well. */
const picture = (kind: 'pixels' | 'chart', alt: string, source: string): string =>
  `<div class="picture ${kind}" tabindex="0" role="group" aria-label="${alt}"><img src="${source}" alt="${alt}"></div>`;

/** The whole page as HTML. Every text that is given is escaped. */
export const report = ({ title, facts, only, samplesPng, trajectoryPng, lossSvg, checkpoint }: Report): string => {
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('\n');
  const file = escapeHtml(checkpoint.file);
  const asked = only === undefined ? 'in each column the one that it was asked for, 0 to 9' : `all of them a ${only}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
${style}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<dl>
${rows}
</dl>
${section('Samples', `Digits that the model drew, each from its own noise: ${asked}.`, picture('pixels', 'Grid of sampled digits', dataUri('image/png', samplesPng)))}
${section('From noise to digit', 'One sample a row: pure noise on the left, the finished digit on the right.', picture('pixels', 'Samples at several times of the denoising', dataUri('image/png', trajectoryPng)))}
${section('Loss', 'The training loss at each step, and its moving average.', picture('chart', 'Curve of the training loss', dataUri('image/svg+xml', lossSvg)))}
${section('Checkpoint', 'The trained weights and the state of the training, to go on from or to sample again.', `<a href="${escapeHtml(link(checkpoint.file))}" download>${file}</a>, ${escapeHtml(formatBytes(checkpoint.bytes))}`)}
</main>
</body>
</html>
`;
};
