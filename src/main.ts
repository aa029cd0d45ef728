import { basename } from "node:path";
import { VERSION } from "./version.ts";

const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-v")) {
  process.stdout.write(`${VERSION}\n`);
} else if (argv[0] === "native-worker") {
  const { nativeWorker } = await import("./cli/native-worker.ts");
  process.exit(await nativeWorker(argv.slice(1)));
} else {
  const { runCli } = await import("./cli/run-cli.ts");
  process.exit(await runCli(argv, basename(process.argv0)));
}
