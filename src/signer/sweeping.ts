/**
 * What nobody asks for any more is not kept until somebody asks for something else.
 *
 * @param sweep lets go of what is too old, and says whether something is left
 * @returns to be called when something is put: from then on `sweep` runs once in `everyMs`, as long as something is left. Keeps no process up
 */
export function sweeping(sweep: () => boolean, everyMs: number): () => void {
  let isTimed = false;
  return function keepSweeping() {
    if (isTimed) return;
    isTimed = true;
    setTimeout(() => {
      isTimed = false;
      if (sweep()) keepSweeping();
    }, everyMs).unref();
  };
}
