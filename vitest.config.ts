import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['tenfold-source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['tenfold-source', 'node', 'import', 'default'] } },
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, execArgv: ['--expose-gc'] },
});
