/** Options of a command line, read strictly. @module */

/** @throws {Error} naming the option, when it was not given */
export function required(value: string | undefined, option: string): string {
  if (value === undefined) throw new Error(`${option} is missing; \`countersign --help\` says how it is written`);
  return value;
}

/** @throws {Error} naming the option, when it is no whole number from `min` on */
export function wholeNumber(value: string | undefined, option: string, min: number): number {
  const number = Number(required(value, option));
  if (!Number.isSafeInteger(number) || number < min) throw new Error(`${option} must be a whole number, ${min} or more`);
  return number;
}
