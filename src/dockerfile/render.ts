import { UserError } from "../errors.ts";
import { hexOf, sha256Of } from "../oci/digest.ts";
import type { BuildPlan, BuildStep, ConfigStep, FeatureStep, ImageUsers, MetadataStep } from "../plan/build-plan.ts";
import { copySteps, featureSteps, stepMakesLayer } from "../plan/build-plan.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import { CONTENT_SOURCE, type ContentDelivery } from "./content-delivery.ts";
import { checkedPath, copyLines } from "./copy-lines.ts";
import { renderInstallScript, renderOptionsFile } from "./install-script.ts";
import { packagesScript } from "./packages-script.ts";
import { quoteExpandable, quoteLiteral, VARIABLE_NAME } from "./quote.ts";
import { FEATURES_FOLDER, featureCommands, folderName } from "./step-script.ts";
import { userIdsScript } from "./user-ids.ts";

/** The stage that every rendered build ends with. */
export const TARGET_STAGE = "dev_containers_target_stage";

/** The Dockerfile that realises a plan; `TARGET_STAGE` is the stage to build. */
export function renderDockerfile(plan: BuildPlan, planHash: string, delivery: ContentDelivery): string {
  const escapeWith = plan.source.kind === "dockerfile" ? plan.source.escapeWith : "\\";
  const writer = { plan, delivery, escapeWith };
  const needsContent = featureSteps(plan).length > 0 || copySteps(plan).length > 0;
  const lines = [
    ...sourceLines(plan),
    ...(needsContent && delivery.kind === "content-image" ? [`FROM ${delivery.image} AS ${CONTENT_SOURCE}`] : []),
    `FROM ${startOf(plan)} AS ${TARGET_STAGE}`,
    ...bodyLines(writer),
    `LABEL ${PLAN_LABEL}=${quoteLiteral(planHash, "The plan's label", escapeWith)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The steps in the plan's order, root from the first to the last of those that make a layer. */
function bodyLines(writer: Writer): string[] {
  const { steps, users } = writer.plan;
  const first = steps.findIndex(stepMakesLayer);
  const last = steps.findLastIndex(stepMakesLayer);
  return steps.flatMap((step, index) => [
    ...(index === first ? ["USER root"] : []),
    ...stepLines(step, writer),
    ...(index === last ? [`USER ${userArgument(users.image)}`] : []),
  ]);
}

/** The Dockerfile of the image that carries Feature folders to builders without named build contexts. */
export function renderContentDockerfile(): string {
  return "FROM scratch\nCOPY . /\n";
}

interface Writer {
  readonly plan: BuildPlan;
  readonly delivery: ContentDelivery;
  readonly escapeWith: string;
}

function sourceLines(plan: BuildPlan): string[] {
  switch (plan.source.kind) {
    case "image":
      return [];
    case "dockerfile":
      return [closeLastInstruction(plan.source.text, plan.source.escapeWith)];
  }
}

/** Text that ends with an empty line; without a last line's continuation, which would swallow the instruction after it. */
function closeLastInstruction(text: string, escapeWith: string): string {
  const lines = text.trimEnd().split("\n");
  const last = lines.findLastIndex((line) => !/^\s*(?:#|$)/.test(line));
  const end = lines[last]?.trimEnd() ?? "";
  const isOpen = end.endsWith(escapeWith) && !end.endsWith(escapeWith + escapeWith);
  const closed = isOpen ? lines.with(last, end.slice(0, -escapeWith.length)) : lines;
  return `${closed.join("\n")}\n`;
}

function startOf(plan: BuildPlan): string {
  switch (plan.source.kind) {
    case "image":
      return plan.source.base.reference;
    case "dockerfile":
      return plan.source.stage;
  }
}

function stepLines(step: BuildStep, writer: Writer): string[] {
  switch (step.kind) {
    case "feature":
      return [...containerEnvLines(step, writer.escapeWith), ...installLines(step, writer)];
    case "user-ids":
      return [`RUN ${["set -e", ...userIdsScript(step)].join(`; ${writer.escapeWith}\n    `)}`];
    case "packages":
      return [`RUN ${packagesScript(step)}`];
    case "run":
      return [`RUN ${shellList(step.command, step.title)}`];
    case "copy":
      return copyLines(step, writer.delivery);
    case "context":
      return [`COPY . ${checkedPath(step.target)}`];
    case "config":
      return configLines(step);
    case "env":
      return Object.entries(step.variables).map(
        ([name, value]) =>
          `ENV ${variableName(name, "containerEnv")}=${quoteLiteral(value, `containerEnv.${name}`, writer.escapeWith)}`,
      );
    case "metadata":
      return metadataLines(step, writer.escapeWith);
    case "label":
      return Object.entries(step.labels).map(
        ([name, value]) =>
          `LABEL ${quoteLiteral(name, "A label's name", writer.escapeWith)}=${quoteLiteral(value, `The label ${name}`, writer.escapeWith)}`,
      );
  }
}

/** A shell's text as one argument, which no reader of Dockerfiles takes for anything else. */
function shellList(command: string, what: string): string {
  if (command.includes("\0")) throw new UserError(`${what} contains a NUL character, which no command can hold.`);
  return JSON.stringify(["/bin/sh", "-c", command]).replaceAll("<", "\\u003c");
}

function configLines(step: ConfigStep): string[] {
  const { entrypoint, command, workingDirectory } = step;
  return [
    ...(workingDirectory === undefined ? [] : [`WORKDIR ${checkedPath(workingDirectory)}`]),
    // First: it takes the base's command away.
    ...(entrypoint === undefined ? [] : [`ENTRYPOINT ${JSON.stringify(entrypoint)}`]),
    ...(command === undefined ? [] : [`CMD ${JSON.stringify(command)}`]),
  ];
}

function containerEnvLines(step: FeatureStep, escapeWith: string): string[] {
  const owner = `containerEnv of Feature '${step.reference}'`;
  return Object.entries(step.containerEnv).map(
    ([name, value]) => `ENV ${variableName(name, owner)}=${quoteExpandable(value, `${name} in ${owner}`, escapeWith)}`,
  );
}

function installLines(step: FeatureStep, { plan, delivery, escapeWith }: Writer): string[] {
  const folder = folderName(step);
  const work = `${FEATURES_FOLDER}/${folder}`;
  const install = [...featureCommands(work), "cd /", `rm -rf ${FEATURES_FOLDER}`];
  if (!delivery.mount) {
    const from = delivery.kind === "content-image" ? `--from=${CONTENT_SOURCE} ` : "";
    const source = delivery.kind === "content-image" ? `/${folder}` : folder;
    return [`COPY --chown=root:root ${from}${source} ${work}/`, `RUN ${joinCommands(install, escapeWith)}`];
  }
  const origin = delivery.kind === "main-context" ? "" : `,from=${CONTENT_SOURCE}`;
  // Podman leaves a mount point behind that had folders made for it, or lies in a folder of the path to its own storage; and it takes
  // a step for done that reads the same, whatever is mounted: other content needs another name.
  const mounted = `/build-features-src-${folder}-${hashContent(step, plan.users)}`;
  const copy = [`mkdir -p ${FEATURES_FOLDER}`, `cp -R ${mounted} ${work}`];
  return [
    `RUN --mount=type=bind${origin},source=/${folder},target=${mounted} ${escapeWith}`,
    `    ${joinCommands([...copy, ...install], escapeWith)}`,
  ];
}

function hashContent(step: FeatureStep, users: ImageUsers): string {
  const content = [step.digest, renderOptionsFile(step), renderInstallScript(step, users)];
  return hexOf(sha256Of(content.join("\0"))).slice(0, 12);
}

function joinCommands(commands: readonly string[], escapeWith: string): string {
  return commands.join(` ${escapeWith}\n && `);
}

function metadataLines(step: MetadataStep, escapeWith: string): string[] {
  if (step.entries.length === 0) return [];
  if (escapeWith !== "\\") {
    const entries = step.entries.map((entry) => JSON.stringify(entry)).join(", ");
    return [`LABEL devcontainer.metadata=${quoteLiteral(`[ ${entries} ]`, "The metadata label", escapeWith)}`];
  }
  const entries = step.entries.map((entry) =>
    quoteLiteral(JSON.stringify(entry), "The metadata label", escapeWith).slice(1, -1),
  );
  return [`LABEL devcontainer.metadata="[ ${escapeWith}\n${entries.join(`, ${escapeWith}\n`)} ${escapeWith}\n]"`];
}

function variableName(name: string, where: string): string {
  if (VARIABLE_NAME.test(name)) return name;
  throw new UserError(`${JSON.stringify(name)} in ${where} is not a valid name of an environment variable.`, {
    hint: "Use letters, digits and underscores, not starting with a digit.",
  });
}

function userArgument(user: string): string {
  if (/^[^\s"'$`\\#]+$/.test(user)) return user;
  throw new UserError(`The base image's user ${JSON.stringify(user)} cannot be named in a USER instruction.`);
}
