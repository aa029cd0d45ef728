/** Something about a Feature that its user should know and that stops nothing. */
export type FeatureWarning =
  | { readonly kind: "remapped"; readonly userId: string; readonly replacement: string }
  | { readonly kind: "merged"; readonly userId: string; readonly target: string; readonly option: string }
  | { readonly kind: "github-legacy"; readonly userId: string }
  | { readonly kind: "deprecated"; readonly featureId: string }
  | { readonly kind: "renamed"; readonly featureId: string; readonly currentId: string }
  | {
      readonly kind: "unknown-option";
      readonly userId: string;
      readonly option: string;
      readonly nearest: string | undefined;
    }
  | {
      readonly kind: "option-value";
      readonly userId: string;
      readonly option: string;
      readonly value: string;
      readonly allowed: readonly string[];
    };

/** A warning as a sentence, without a prefix. */
export function featureWarningText(warning: FeatureWarning): string {
  switch (warning.kind) {
    case "remapped":
      return `Using the deprecated '${warning.userId}' Feature. Please write "${warning.replacement}" in devcontainer.json.`;
    case "merged":
      return `Using the deprecated '${warning.userId}' Feature. It is now the option "${warning.option}" of "${warning.target}".`;
    case "github-legacy":
      return `'${warning.userId}' names no registry and is looked for among the releases of a GitHub repository, which is deprecated.`;
    case "deprecated":
      return `Using the deprecated Feature "${warning.featureId}". This Feature will no longer receive any further updates/support.`;
    case "renamed":
      return `This feature has been renamed. Please update the reference in devcontainer.json to "${warning.currentId}".`;
    case "unknown-option": {
      const advice = warning.nearest === undefined ? "" : ` Did you mean "${warning.nearest}"?`;
      return `Feature '${warning.userId}' has no option "${warning.option}"; it is passed on all the same.${advice}`;
    }
    case "option-value": {
      const allowed = warning.allowed.map((value) => `"${value}"`).join(", ");
      return `Feature '${warning.userId}': option "${warning.option}" is "${warning.value}"; its values are ${allowed}. It is passed on all the same.`;
    }
  }
}
