/** Results as a table on the terminal. */

const cell = (value: number | string): string => (typeof value === 'string' ? value : String(+value.toPrecision(3)));

/** Prints records of the same names, one a line, numbers with three digits. */
export const printTable = (rows: readonly Readonly<Record<string, number | string>>[]): void => {
  const lines = [Object.keys(rows[0] ?? {}), ...rows.map(row => Object.values(row).map(cell))];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)));
  for (const line of lines) console.log(line.map((text, column) => text.padStart(widths[column]!)).join('   '));
};
