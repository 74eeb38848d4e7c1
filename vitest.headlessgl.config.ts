/** The tests of WebGL in Node, which need a compiled package and a display: `npm run test:headlessgl`, no part of `npm test`. */
import { defineConfig } from 'vitest/config';
import shared from './vitest.config.js';

export default defineConfig({ ...shared, test: { ...shared.test, include: ['test/headlessgl/*.ts'] } });
