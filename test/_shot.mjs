import { chromium } from 'playwright-core';
const [file, out, scheme, width='1440', y='0', h='1300'] = process.argv.slice(2);
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless','--no-sandbox','--disable-gpu','--no-first-run'] });
const c = await b.newContext({ colorScheme: scheme, viewport: { width: Number(width), height: 900 } });
const p = await c.newPage();
p.on('console', m => console.log(m.text())); p.on('pageerror', e => console.log(String(e)));
await p.goto('file://' + file); await p.screenshot({ path: out, fullPage: true, clip: { x: 0, y: Number(y), width: Number(width), height: Number(h) } });
console.log(await p.evaluate('document.documentElement.scrollWidth'));
await b.close();
