/** The processes of this machine, as Linux shows them in /proc; elsewhere there are none to see. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

export function processes(): number[] {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Its arguments, with blanks between; empty when it has ended. */
export function commandLine(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

export function childrenOf(parent: number): number[] {
  return processes().filter((pid) => statOf(`/proc/${pid}/stat`)?.fields[1] === String(parent));
}

export interface Thread {
  readonly name: string;
  /** Processor time so far. */
  readonly ms: number;
}

/** A clock tick of the kernel's accounting (USER_HZ), the same on all Linux. */
const tickMs = 10;

export function threadsOf(pid: number): Thread[] {
  const directory = `/proc/${pid}/task`;
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((thread) => {
    const stat = statOf(`${directory}/${thread}/stat`);
    // utime and stime are fields 14 and 15.
    return stat === undefined ? [] : [{ name: stat.name, ms: tickMs * (Number(stat.fields[11]) + Number(stat.fields[12])) }];
  });
}

/** proc_pid_stat(5). @returns the name and the fields from the third on: the name before them may hold spaces, within brackets */
function statOf(file: string): { name: string; fields: string[] } | undefined {
  const stat = textOf(file);
  if (stat === '') return undefined;
  const end = stat.lastIndexOf(')');
  return { name: stat.slice(stat.indexOf('(') + 1, end), fields: stat.slice(end + 2).split(' ') };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
