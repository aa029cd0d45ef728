import { parseImageReference } from "../../src/oci/reference.ts";
import { openImageStore } from "../../src/store/image-store.ts";
import { pruneStore } from "../../src/store/prune-store.ts";
import { writeStoredImage } from "./stored-image.ts";

// A process of its own that does with the store of its first argument what the second says.
const [, , folder = "", verb, word = "", count = "0"] = process.argv;
const store = openImageStore(folder, { signal: new AbortController().signal });
switch (verb) {
  case "write":
    for (let index = 0; index < Number(count); index += 1) {
      await writeStoredImage(store, { names: [`${word}:${index}`, "moving:latest"], label: `${word} ${index}` });
    }
    break;
  case "hold": {
    const source = await store.openSource(parseImageReference(word));
    process.stdout.write("holding\n");
    await Bun.sleep(600_000);
    await source.close();
    break;
  }
  case "prune": {
    const rule = { kind: "unused", usedBefore: Date.now() + 1_000_000, keepSize: undefined } as const;
    const pruned = await pruneStore(store, { rule: () => rule, dryRun: false, patience: 0 });
    process.stdout.write(`${pruned === undefined ? "in use" : pruned.images.length}\n`);
    break;
  }
}
