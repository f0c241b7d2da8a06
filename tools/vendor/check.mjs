// Checks the portal's modules by their JSDoc types. TypeScript would read the minified libraries where a relative import leads,
// so the modules are copied beside the declarations in types/ first; paths in its messages are below pb_public.
import { execFileSync } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const stage = join(here, ".check");
await rm(stage, { recursive: true, force: true });
await cp(join(here, "../../pb_public/js"), join(stage, "js"), { recursive: true });
await cp(join(here, "types/vendor"), join(stage, "vendor"), { recursive: true });
try {
    execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--project", join(here, "tsconfig.json")], { stdio: "inherit" });
} catch {
    process.exitCode = 1;
}
