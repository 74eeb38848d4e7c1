/** The gallery as a user runs it, only shorter, and its page as a browser shows it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { decode } from 'fast-png';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const timeout = 200_000;
const root = resolve(import.meta.dirname, '../..');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

const gallery = (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)('npm', ['run', 'gallery', '--silent', '--', ...args], { cwd: root });

/** What pixels of a picture are: how far their brightness spreads, and how many are not as the corner is. */
const statistics = (png: Uint8Array): { deviation: number; drawn: number } => {
  const { data, channels, width, height } = decode(png);
  const levels = Array.from({ length: width * height }, (_, i) =>
    [0, 1, 2].reduce((sum, channel) => sum + Number(data[i * channels + channel]) / 3, 0),
  );
  const mean = levels.reduce((sum, level) => sum + level) / levels.length;
  const variance = levels.reduce((sum, level) => sum + (level - mean) ** 2, 0) / levels.length;
  const ground = levels.map(Math.round).sort((a, b) => a - b)[levels.length >> 1]!;
  return {
    deviation: Math.sqrt(variance),
    drawn: levels.filter(level => Math.abs(level - ground) > 8).length / levels.length,
  };
};

describe('npm run gallery', { timeout }, () => {
  let folder = '';
  let browser: Browser;
  let stdout = '';
  const html = (): string => join(folder, 'index.html');

  beforeAll(async () => {
    if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}; let CHROMIUM name the executable`);
    folder = await mkdtemp(join(tmpdir(), 'tenfold-gallery-'));
    const short = ['--steps', '20', '--points', '1024', '--only', 'moons', '--seed', '1', '--out', folder];
    [{ stdout }, browser] = await Promise.all([gallery(...short), chromium.launch({ executablePath, args: flags })]);
  }, timeout);
  afterAll(async () => {
    await browser?.close();
    if (folder !== '') await rm(folder, { recursive: true });
  });

  /** The page in a theme; what is complained of fails the test. */
  const inTheme = async <T>(colorScheme: 'light' | 'dark', look: (page: Page) => Promise<T>): Promise<T> => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1400, height: 900 } });
    const complaints: string[] = [];
    try {
      const page = await context.newPage();
      page.on('pageerror', error => complaints.push(String(error)));
      page.on('requestfailed', request => complaints.push(request.url().slice(0, 100)));
      page.on('console', message => complaints.push(message.text()));
      await page.goto(pathToFileURL(html()).href);
      const seen = await look(page);
      expect(complaints).toEqual([]);
      return seen;
    } finally {
      await context.close();
    }
  };

  it('writes one page that needs nothing else, and says where', async () => {
    expect(await readdir(folder)).toEqual(['index.html']);
    expect(stdout).toContain('moons: step 20/20, loss ');
    expect(stdout).toContain(html());
    const text = await readFile(html(), 'utf8');
    expect(text).not.toMatch(/(?:src|href)="(?!data:|#)|url\((?!#)|<script|NaN|Infinity|undefined/);
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(['light', 'dark'] as const)('shows pictures that are not blank, in a %s theme', async theme => {
    const seen = await inTheme(theme, async page => {
      const pictures = await page.locator('.picture > *, .chart > *').all();
      const shots = [];
      for (const picture of pictures) shots.push(statistics(await picture.screenshot()));
      return shots;
    });
    // Seven in each of three rows, and the chart.
    expect(seen).toHaveLength(22);
    for (const [i, { deviation, drawn }] of seen.entries()) {
      expect(deviation, `picture ${i}`).toBeGreaterThan(4);
      expect(drawn, `picture ${i}`).toBeGreaterThan(0.01);
      expect(drawn, `picture ${i}`).toBeLessThan(0.95);
    }
  });

  it('draws the ways of samples and the arrows of fields', async () => {
    const lines = await inTheme('light', page =>
      page.locator('.picture svg').evaluateAll(all => all.map(picture => picture.querySelectorAll('polyline').length)),
    );
    expect(lines).toEqual([0, ...[8, 8, 40, 40, 40, 40], ...Array.from({ length: 7 }, () => 15 ** 2)]);
  });

  it('measures all samplers and two real halves, in finite numbers', async () => {
    const rows = await inTheme('light', page =>
      page
        .locator('table.measures tbody tr')
        .evaluateAll(all => all.map(row => [...row.children].map(cell => cell.firstChild?.textContent ?? ''))),
    );
    const numbers = rows.map(([, ...cells]) => cells.filter(cell => cell !== '').map(Number));
    expect(numbers.map(cells => cells.length)).toEqual([6, 6, 6, 6, 6, 6, 3]);
    expect(numbers.flat().every(Number.isFinite)).toBe(true);
    const [real, ...runs] = numbers.reverse();
    // Twenty steps do not make a model: its samples are further from the data than the data is from itself.
    for (const cells of runs) expect(cells[3]).toBeGreaterThan(real![0]!);
  });

  it('the same seed gives the same pictures', async () => {
    const again = join(folder, 'again');
    await gallery('--steps', '20', '--points', '1024', '--only', 'moons', '--seed', '1', '--out', again);
    const pictures = (text: string): readonly string[] => text.match(/<svg[\s\S]*?<\/svg>|data:image[^"]*/g) ?? [];
    const [first, second] = await Promise.all([html(), join(again, 'index.html')].map(file => readFile(file, 'utf8')));
    expect(pictures(second!)).toEqual(pictures(first!));
    await rm(again, { recursive: true });
  });

  it('refuses what is no data set, and options that npm took', async () => {
    await expect(gallery('--only', 'spirals')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: .*moons, swiss-roll, checkerboard, 8-gaussians/),
    });
    await expect(gallery('5')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("behind a '--'") });
  });
});
