/**
 * timeLimit returns a signal that aborts when `parent` does or when the milliseconds are over. It
 * stands for `AbortSignal.any([parent, AbortSignal.timeout(…)])`, which holds the timeout so weakly
 * that after a garbage collection it never comes (seen with Node 20.20): a probe would wait for ever.
 */
export function timeLimit(parent: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  if (parent.aborted) {
    controller.abort(parent.reason);
    return signal;
  }
  const timer = setTimeout(() => {
    controller.abort(Object.assign(new Error(`${milliseconds} ms are over`), { name: 'TimeoutError' }));
  }, milliseconds);
  timer.unref();
  const end = () => {
    clearTimeout(timer);
    controller.abort(parent.reason);
  };
  parent.addEventListener('abort', end, { once: true, signal });
  return signal;
}
