import { AGENTS, type Agent } from "../agent/agents.ts";
import type { CommandTree } from "./command.ts";

/** A command for each agent, and a short one for the first. */
function agentCommands(agents: readonly Agent[]): CommandTree {
  const run = (agent: Agent, description: string) => ({
    description,
    load: async () => (await import("./agent-command.ts")).agentCommand(agent),
  });
  const [first] = agents;
  return {
    ...Object.fromEntries(
      agents.map((agent) => [agent.name, run(agent, `Run ${agent.title} on this project, in a container`)]),
    ),
    ...(first === undefined ? {} : { o: run(first, `Short for ${first.name}`) }),
  };
}

/** Every command that there is. */
export const COMMANDS = commandTree(AGENTS);

/** Every command where these are the agents; each is loaded only when it is run. */
export function commandTree(agents: readonly Agent[]): CommandTree {
  const tree: CommandTree = {
    build: {
      description: "Build a dev container image: base image or Dockerfile, extended with Features",
      load: async () => (await import("./build.ts")).createBuild(agents),
    },
    up: {
      description: "Make or start this workspace's container, and run its hooks",
      load: async () => (await import("./up.ts")).up,
    },
    shell: {
      description: "Open the user's login shell in this workspace's running container",
      load: async () => (await import("./shell.ts")).shell,
    },
    exec: {
      description: "Run a command in this workspace's running container",
      load: async () => (await import("./exec.ts")).exec,
    },
    stop: {
      description: "Stop this workspace's container, or end its agents",
      load: async () => (await import("./stop.ts")).stop,
    },
    down: {
      description: "Remove this workspace's container, or its Compose project",
      load: async () => (await import("./down.ts")).down,
    },
    ps: {
      description: "List this workspace's containers, dev containers and agents'",
      load: async () => (await import("./ps.ts")).ps,
    },
    logs: {
      description: "Show what this workspace's container printed",
      load: async () => (await import("./logs.ts")).logs,
    },
    stats: {
      description: "Show what this workspace's running containers use",
      load: async () => (await import("./stats.ts")).stats,
    },
    ports: {
      description: "List this workspace's ports, or forward them to this machine",
      load: async () => (await import("./ports.ts")).ports,
    },
    ...agentCommands(agents),
    agent: {
      description: "Look at coding agents and what they may do",
      commands: {
        list: {
          description: "List the agents, the versions wanted here and those on this machine",
          load: async () => (await import("./agent-versions.ts")).createAgentList(agents),
        },
        upgrade: {
          description: "Ask now which versions of the agents are the latest",
          load: async () => (await import("./agent-versions.ts")).createAgentUpgrade(agents),
        },
        ps: {
          description: "List the agents that run in this folder",
          load: async () => (await import("./agent-containers.ts")).agentPs,
        },
        stop: {
          description: "End the agents that run in this folder",
          load: async () => (await import("./agent-containers.ts")).agentStop,
        },
        shell: {
          description: "Open a shell in the container of this folder's agent",
          load: async () => (await import("./agent-containers.ts")).agentShell,
        },
        exec: {
          description: "Run a command in the container of this folder's agent",
          load: async () => (await import("./agent-containers.ts")).agentExec,
        },
        preflight: {
          description: "Show all that an agent's container would get of this machine, and stop",
          load: async () => (await import("./agent-preflight.ts")).createAgentPreflight(agents),
        },
      },
    },
    volume: {
      description: "Look at the volumes in which agents keep caches and logins, and remove them",
      commands: {
        list: {
          description: "List this project's data volumes, or every project's",
          load: async () => (await import("./volume.ts")).volumeList,
        },
        rm: {
          description: "Remove data volumes by name",
          load: async () => (await import("./volume.ts")).volumeRemove,
        },
        prune: {
          description: "Remove this project's data volumes that no container has",
          load: async () => (await import("./volume.ts")).volumePrune,
        },
      },
    },
    config: {
      description: "Show cooper's settings here; config trust lets the project's own file say all",
      load: async () => (await import("./config.ts")).config,
    },
    port: {
      description: "Print the port of this machine for an agent's container in this project",
      load: async () => (await import("./port.ts")).port,
    },
    plan: {
      description: "Print what build would do, and stop",
      load: async () => (await import("./plan.ts")).createPlan(agents),
    },
    doctor: {
      description: "Check the engine, its builder, credentials and disk, and say what to mend",
      load: async () => (await import("./doctor.ts")).doctor,
    },
    image: {
      description: "Make, move and check images, no engine needed",
      commands: {
        assemble: {
          description: "Make an image of a folder, without an engine: the same bytes every time",
          load: async () => (await import("./image-assemble.ts")).imageAssemble,
        },
        append: {
          description: "Put folders or tars as layers on an image, without an engine",
          load: async () => (await import("./image-append.ts")).imageAppend,
        },
        run: {
          description: "Run a command in an image of cooper's own store, without an engine",
          load: async () => (await import("./image-run.ts")).imageRun,
        },
        push: {
          description: "Push an image of a layout, an archive, the store or a registry to a registry",
          load: async () => (await import("./image-push.ts")).imagePush,
        },
        pull: {
          description: "Pull an image from a registry into a layout, an archive, an engine or the store",
          load: async () => (await import("./image-pull.ts")).imagePull,
        },
        copy: {
          description: "Copy an image between registries, layouts, archives, engines and the store, byte by byte",
          load: async () => (await import("./image-copy.ts")).imageCopy,
        },
        inspect: {
          description: "Show an image's configuration, history and layers",
          load: async () => (await import("./image-inspect.ts")).imageInspect,
        },
        list: {
          description: "List the images that cooper made, in its own store and in the engine",
          load: async () => (await import("./image-list.ts")).imageList,
        },
        rm: {
          description: "Remove images that cooper made, or that are in its own store",
          load: async () => (await import("./image-rm.ts")).imageRm,
        },
        prune: {
          description: "Remove superseded images, or those not used for long, and what was kept for them",
          load: async () => (await import("./image-prune.ts")).imagePrune,
        },
        validate: {
          description: "Check all there is to check of an image, and name every fault",
          load: async () => (await import("./image-validate.ts")).imageValidate,
        },
      },
    },
    profile: {
      description: "Images of repositories that say in a profile how they are installed and tested",
      commands: {
        detect: {
          description: "Write the profile of a repository from its files: Python, Node, Go or Rust",
          load: async () => (await import("./profile-detect.ts")).profileDetect,
        },
        build: {
          description: "Build, reuse or load a profile's image: a JSON request in, a JSON response out",
          load: async () => (await import("./profile-build.ts")).profileBuild,
        },
        run: {
          description: "Run a profile's gates in its image with the repository mounted",
          load: async () => (await import("./profile-run.ts")).profileRun,
        },
      },
    },
    "read-configuration": {
      description: "Print the configuration as JSON, also merged with what image and Features say",
      load: async () => (await import("./read-configuration.ts")).readConfiguration,
    },
    "set-up": {
      description: "Run the hooks of a container that something else started",
      load: async () => (await import("./set-up.ts")).setUp,
    },
    "run-user-commands": {
      description: "Run the hooks of a running container that have not run yet",
      load: async () => (await import("./run-user-commands.ts")).runUserCommands,
    },
    completion: {
      description: "Print a completion script for bash, zsh, fish or powershell",
      load: async () => (await import("./completion.ts")).createCompletion(tree),
    },
  };
  return tree;
}
