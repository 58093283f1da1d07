/** Wakes one waiter when something changed; changes between two waits are merged into one. */
export class ChangeSignal {
  #raised = false;
  #wake: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Resolves to true once raised (at once if that was since the last call), to false when the signal aborts. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (!this.#raised && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          this.#wake = undefined;
          signal.removeEventListener('abort', finish);
          resolve();
        };
        this.#wake = finish;
        signal.addEventListener('abort', finish, { once: true });
      });
    }
    if (signal.aborted) return false;
    this.#raised = false;
    return true;
  }
}
