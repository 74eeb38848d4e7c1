import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { lossPlot } from '../../examples/digits/loss-plot.js';
import { encodePng, grid } from '../../examples/digits/pictures.js';
import { report } from '../../examples/digits/report.js';

const png = (value: number): Uint8Array =>
  encodePng(grid(Float32Array.of(value), { count: 1, height: 1, width: 1, columns: 1, scale: 2, gap: 0 }));

const points = Array.from({ length: 200 }, (_, i) => ({ step: i + 1, loss: Math.exp(-i / 50) + 0.1 + 0.05 * (i % 3) }));

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><text>\u03b5</text></svg>';

const example = {
  title: 'Digits <1> & "more"',
  facts: [
    ['seed', '0'],
    ["it's <b>", '<script>alert("1")</script> & 2'],
  ],
  samplesPng: png(-1),
  trajectoryPng: png(1),
  lossSvg: svg,
  checkpoint: { file: 'state/a b"<\'.safetensors', bytes: 1234567 },
} as const;

describe('report', () => {
  const html = report(example);

  it('carries the three pictures inside the page, byte by byte', () => {
    const sources = [...html.matchAll(/<img src="data:([^;]+);base64,([^"]+)" alt="[^"]+">/g)];
    expect(sources.map(([, type]) => type)).toEqual(['image/png', 'image/png', 'image/svg+xml']);
    const [samples, trajectory, loss] = sources.map(([, , content]) => Buffer.from(content ?? '', 'base64'));
    expect(samples).toEqual(Buffer.from(example.samplesPng));
    expect(trajectory).toEqual(Buffer.from(example.trajectoryPng));
    expect(loss?.toString('utf8')).toBe(svg);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(html).toContain('image-rendering: pixelated');
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).toContain('name="viewport"');
  });

  it('says which digits were asked for', () => {
    expect(html).toContain('in each column the one that it was asked for, 0 to 9.');
    expect(report({ ...example, only: 7 })).toContain('all of them a 7.');
  });

  it('escapes every text', () => {
    expect(html).toContain('<title>Digits &lt;1&gt; &amp; &quot;more&quot;</title>');
    expect(html).toContain('<h1>Digits &lt;1&gt; &amp; &quot;more&quot;</h1>');
    expect(html).toContain(
      '<dt>it&#39;s &lt;b&gt;</dt><dd>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; 2</dd>',
    );
    expect(html).not.toContain('<script');
  });

  it('links the checkpoint with its size', () => {
    expect(html).toContain('href="state/a%20b%22%3C&#39;.safetensors"');
    expect(html).toContain('>state/a b&quot;&lt;&#39;.safetensors</a>, 1.2 MB (1,234,567 bytes)');
  });

  it('does not let the name of the checkpoint become a scheme', () => {
    const page = report({ ...example, checkpoint: { file: 'javascript:alert(1)', bytes: 12 } });
    expect(page).toContain('href="javascript%3Aalert(1)"');
    expect(page).toContain(', 12 bytes');
  });
});

describe('lossPlot', () => {
  const plot = lossPlot(points);

  it('is a standalone svg with title and axis names, and nothing that runs or depends on the process', () => {
    expect(plot).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(plot.trimEnd()).toMatch(/<\/svg>$/);
    for (const text of ['Training loss', 'step', 'loss', 'each step', 'moving average']) {
      expect(plot).toContain(`>${text}</text>`);
    }
    expect(plot).toContain('fill="#ffffff"');
    expect(plot).not.toMatch(/<script|<style|<animate|class=|\bzr\d/);
    for (const [, id] of plot.matchAll(/url\(#([^)]+)\)/g)) expect(plot).toContain(`id="${id}"`);
  });

  it('is the same for the same points, here and in another process', () => {
    expect(lossPlot(points)).toBe(plot);
    expect(lossPlot(points.slice(0, 50))).not.toBe(plot);
    const module = new URL('../../examples/digits/loss-plot.ts', import.meta.url).href;
    const code = `import(${JSON.stringify(module)}).then(m => process.stdout.write(m.lossPlot(${JSON.stringify(points)})))`;
    const other = execFileSync(process.execPath, ['--import=tsx', '--eval', code], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(other).toBe(plot);
  });

  it('has a logarithmic axis when all losses are positive, and a linear one otherwise', () => {
    expect(plot).toContain('>0.1</text>');
    expect(plot).toContain('>0.2</text>');
    expect(plot).toContain('>0.5</text>');
    expect(plot).not.toContain('>-');
    const linear = lossPlot(points.map(({ step, loss }) => ({ step, loss: loss - 0.5 })));
    expect(linear).toContain('>0</text>');
    expect(linear).toMatch(/>-0\.\d+<\/text>/);
  });

  it('draws a gap for a loss that is not finite', () => {
    const broken = lossPlot(points.map(point => (point.step === 100 ? { ...point, loss: Number.NaN } : point)));
    expect(broken).not.toMatch(/NaN|Infinity/);
    const pieces = (text: string): number => text.match(/M/g)?.length ?? 0;
    expect(pieces(broken)).toBe(pieces(plot) + 2);
  });

  it('draws something for no point, one point and a flat curve', () => {
    for (const few of [[], [{ step: 1, loss: 1 }], points.map(({ step }) => ({ step, loss: 0.1 }))]) {
      const text = lossPlot(few);
      expect(text).toMatch(/<\/svg>\s*$/);
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
    }
    expect(lossPlot([])).toContain('no training step in this run');
  });
});
