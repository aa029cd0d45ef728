import { UserError } from "../errors.ts";
import type { PackagesStep } from "../plan/build-plan.ts";

const PACKAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9.+_-]*$/;

/** One line of shell text that installs the packages and leaves no lists behind. Throws UserError for what is no package's name. */
export function packagesScript({ manager, packages }: PackagesStep): string {
  const wrong = packages.find((name) => !PACKAGE_NAME.test(name));
  if (wrong !== undefined) throw new UserError(`${JSON.stringify(wrong)} is not the name of a package.`);
  const names = packages.join(" ");
  switch (manager) {
    case "apk":
      return `apk add --no-cache ${names}`;
    case "apt-get":
      return `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${names} && rm -rf /var/lib/apt/lists/*`;
    case "dnf":
      return `dnf install -y ${names} && dnf clean all`;
    case "microdnf":
      return `microdnf install -y ${names} && microdnf clean all`;
    case "zypper":
      return `zypper --non-interactive install ${names} && zypper clean --all`;
  }
}
