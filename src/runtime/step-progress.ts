/** Tells of a build's steps in the plain form that BuildKit has for them, which every view here reads. */
export interface StepProgress {
  /** Announces a step; what it says and how it ends is told with what comes back. */
  readonly begin: (title: string) => RunningStep;
}

/** A step that was announced. */
export interface RunningStep {
  readonly output: (text: string) => void;
  readonly cached: () => void;
  readonly done: () => void;
  readonly failed: (message: string) => void;
}

/** Progress whose lines go to `write`; `now` gives milliseconds. */
export function createStepProgress(write: (text: string) => void, now: () => number): StepProgress {
  let count = 0;
  return {
    begin(title) {
      count += 1;
      const name = `#${count}`;
      const began = now();
      const seconds = () => ((now() - began) / 1000).toFixed(1);
      let unfinished = "";
      const line = (text: string) => write(`${name} ${((now() - began) / 1000).toFixed(3)} ${text}\n`);
      const flush = () => {
        if (unfinished !== "") line(unfinished);
        unfinished = "";
      };
      write(`${name} ${title}\n`);
      return {
        output(text) {
          const lines = (unfinished + text).split(/\r?\n/);
          unfinished = lines.pop() ?? "";
          for (const one of lines) line(one);
        },
        cached: () => write(`${name} CACHED\n`),
        done() {
          flush();
          write(`${name} DONE ${seconds()}s\n`);
        },
        failed(message) {
          flush();
          write(`${name} ERROR: ${message}\n`);
        },
      };
    },
  };
}
