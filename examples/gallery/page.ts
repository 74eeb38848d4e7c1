/** The gallery's page: one HTML file with all pictures inside, small multiples with a column for each sampler. */

import { half } from './density.js';
import { bandwidths, type Distances, projections, type Summary } from './measures.js';
import { batchSize } from './model.js';
import { samplers, sigmaMax, sigmaMin } from './samplers.js';
import { budget } from './sampling.js';
import type { Study } from './study.js';

const style = `
:root { color-scheme: light dark; --ink: #1f2933; --soft: #5b6673; --line: #dde2e8; --paper: #f7f7f5; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa5b1; --line: #333a42; --paper: #14171a; --card: #1b1f24; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 92rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { margin: 0 0 0.5rem; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 0 0 0.25rem; font-size: 1.35rem; }
h3 { margin: 1.4rem 0 0.5rem; font-size: 0.95rem; }
h3 small { font-weight: 400; font-size: inherit; color: var(--soft); margin-left: 0.5em; }
p { max-width: 64rem; margin: 0 0 0.9rem; color: var(--soft); }
section { margin-top: 2.5rem; padding-top: 1.75rem; border-top: 1px solid var(--line); }
a { color: inherit; text-underline-offset: 0.2em; }
.legend { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0.6rem 1rem; list-style: none; padding: 0; margin: 1.25rem 0; }
.legend small { line-height: 1.35; display: block; color: var(--soft); font-size: 0.85rem; }
.swatch { display: inline-block; width: 0.75em; height: 0.75em; border-radius: 0.15em; margin-right: 0.45em; }
.multiples { overflow-x: auto; }
.row { display: grid; grid-template-columns: repeat(7, minmax(8.5rem, 1fr)); gap: 0.75rem; min-width: 64rem; }
figure { margin: 0; }
.picture { border: 1px solid var(--line); border-radius: 0.4rem; background: var(--card); overflow: hidden; aspect-ratio: 1; }
.picture > * { display: block; width: 100%; height: 100%; }
figcaption { margin-top: 0.3rem; font-size: 0.82rem; line-height: 1.35; color: var(--soft); font-variant-numeric: tabular-nums; }
figcaption b { display: block; color: var(--ink); font-weight: 600; }
.numbers { display: flex; flex-wrap: wrap; gap: 1.5rem 2.5rem; align-items: flex-start; }
.table { flex: 3 1 36rem; overflow-x: auto; }
.chart { flex: 2 1 24rem; max-width: 34rem; }
.chart svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.32rem 0.75rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--soft); font-size: 0.82rem; vertical-align: bottom; }
th:first-child { text-align: left; padding-left: 0; }
tbody tr:last-child > * { border-bottom: 0; }
.facts { max-width: none; }
.glance { table-layout: fixed; min-width: 56rem; }
.measures tbody tr:last-child > * { border-top: 2px solid var(--line); }
td small { color: var(--soft); font-size: 0.82rem; }
.best { font-weight: 600; }
`.trim();

const count = (n: number): string => n.toLocaleString('en-US');
const swatch = (color: string): string => `<span class="swatch" style="background:${color}"></span>`;
const image = (source: string, alt: string): string => `<img src="${source}" alt="${alt}">`;

const figure = (picture: string, title: string, text: string): string =>
  `<figure><div class="picture">${picture}</div><figcaption><b>${title}</b>${text}</figcaption></figure>`;

const row = (title: string, about: string, figures: readonly string[]): string =>
  `<h3>${title}<small>${about}</small></h3>
<div class="multiples" tabindex="0" role="group" aria-label="${title}"><div class="row">
${figures.join('\n')}
</div></div>`;

/** A mean, and between which values it lies. */
const range = ({ mean, least, largest }: Summary, show: (value: number) => string): string =>
  `${show(mean)} <small>${show(least)} to ${show(largest)}</small>`;

const fourDigits = (value: number): string => value.toFixed(4);
/** Thousandths, which is what squared discrepancies come in. */
const thousandths = (value: number): string => (1000 * value).toFixed(2);

const measured = ({ wasserstein, mmd }: Distances, floor: number): string =>
  [range(wasserstein, fourDigits), (wasserstein.mean / floor).toFixed(2), range(mmd, thousandths)]
    .map(cell => `<td>${cell}</td>`)
    .join('');

const table = ({ runs, real }: Study): string => {
  const floor = real.wasserstein.mean;
  const rows = runs.map(({ shown, steps, calls, seconds, distances }) => {
    const facts = [String(steps), String(calls), seconds.toFixed(2)].map(fact => `<td>${fact}</td>`).join('');
    return `<tr><th scope="row">${swatch(shown.color)}${shown.title}</th>${facts}${measured(distances, floor)}</tr>`;
  });
  return `<table class="measures">
<thead><tr><th scope="col">sampler</th><th scope="col">steps</th><th scope="col">calls</th><th scope="col">seconds</th><th scope="col">sliced Wasserstein</th><th scope="col">÷ real</th><th scope="col">MMD² · 10³</th></tr></thead>
<tbody>
${rows.join('\n')}
<tr><th scope="row">two real halves</th><td></td><td></td><td></td>${measured(real, floor)}</tr>
</tbody>
</table>`;
};

/** Distances as multiples of those of real data: a row for each data set. */
const overview = (studies: readonly Study[]): string => {
  const columns = samplers.map(({ color, title }) => `<th scope="col">${swatch(color)}${title}</th>`).join('');
  const rows = studies.map(({ set, runs, real }) => {
    const ratios = runs.map(({ distances }) => distances.wasserstein.mean / real.wasserstein.mean);
    const least = Math.min(...ratios);
    const cells = ratios.map(ratio => `<td${ratio === least ? ' class="best"' : ''}>${ratio.toFixed(2)}</td>`).join('');
    return `<tr><th scope="row"><a href="#${set.name}">${set.title}</a></th>${cells}</tr>`;
  });
  return `<table class="glance">
<thead><tr><th scope="col">data set</th>${columns}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
};

const section = (study: Study): string => {
  const { set, steps, trained, counts, runs, fields } = study;
  const last = trained.losses.slice(-Math.min(200, trained.losses.length));
  const loss = last.reduce((sum, value) => sum + value, 0) / last.length;
  const facts = [
    `${count(counts.training)} training points`,
    `${count(steps)} steps of ${batchSize}`,
    `trained in ${trained.seconds.toFixed(1)} s`,
    `${count(trained.parameters)} parameters`,
    `weighted loss ${loss.toFixed(3)} (mean of the last ${last.length} steps)`,
  ];
  const title = set.title;
  const densities = runs.map(({ shown, density, distances }) =>
    figure(
      image(density, `Density of the samples of ${shown.title}`),
      `${swatch(shown.color)}${shown.title}`,
      `distance ${distances.wasserstein.mean.toFixed(3)}`,
    ),
  );
  const paths = runs.map(({ shown, steps: taken, paths: plot, ways }) =>
    figure(plot, `${swatch(shown.color)}${shown.title}`, `${ways} samples, ${taken} steps`),
  );
  return `<section id="${set.name}">
<h2>${title}</h2>
<p class="facts">${facts.join(' · ')}</p>
${row('Density', `${count(counts.samples)} samples each; one scale of opacity for the row`, [
  figure(image(study.data, `Density of the data: ${title}`), 'Data', `${count(counts.shown)} points`),
  ...densities,
])}
${row('Trajectories', 'from the same noise, scaled to variance 1 at every level; the data in grey', [
  figure(study.noise, 'Noise', 'where all of them begin'),
  ...paths,
])}
${row(
  'Vector field',
  'σ ∇ log p as the network has learned it, on the density of data with that noise; off by: root mean square of ε̂ − ε*, where ε* is exact for the training points',
  fields.map(({ sigma, plot, error }) => figure(plot, `σ = ${sigma}`, `off by ${error.toFixed(3)}`)),
)}
<h3>Distance to held-out data<small>means and ranges of ${counts.sets} sets of ${count(counts.measured)} samples, and of as many real points, against ${count(counts.measured)} held-out ones; seconds: all ${count(counts.samples)} samples, compilation included</small></h3>
<div class="numbers">
<div class="table">${table(study)}</div>
<div class="chart">${study.curves}</div>
</div>
</section>`;
};

const legend = samplers
  .map(({ color, title, source, about }) => `<li>${swatch(color)}${title}<small>${source}<br>${about}</small></li>`)
  .join('\n');

/** The page of all studies. */
export const page = (
  studies: readonly Study[],
  facts: { readonly seed: number; readonly seconds: number },
): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Six samplers in the plane</title>
<style>
${style}
</style>
</head>
<body>
<main>
<h1>Six samplers in the plane</h1>
<p>On each distribution a perceptron with three hidden layers is trained as a denoiser (EDM’s preconditioning and loss, Karras et al. 2022), in TypeScript
on the CPU. Six samplers then draw from the same network at the noise levels of Karras et al. (σ from ${sigmaMax} to ${sigmaMin}, then none; data of
variance 1) with about ${budget} calls each. All start from the same noise. Seed ${facts.seed}; ${Math.round(facts.seconds)} s in all.</p>
<ul class="legend">
${legend}
</ul>
<p>All windows show both coordinates from −${half} to ${half}. Sliced Wasserstein: W₂ along ${projections} directions, the same for all. MMD²: unbiased, a sum of Gaussian kernels of the bandwidths
${bandwidths.join(', ')}. The dashed line in the charts, and the last row of the tables, is what two sets of real points are apart: by these measures samples there cannot be told from data.</p>
<h3>At a glance<small>sliced Wasserstein distance to held-out data, in units of that between two real halves</small></h3>
<div class="table">${overview(studies)}</div>
${studies.map(section).join('\n')}
</main>
</body>
</html>
`;
