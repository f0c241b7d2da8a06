// Builds pb_public/vendor from the exact versions in package-lock.json: one minified ES module a library with a banner that
// names versions and licences, the licence texts, and SHA256SUMS over all of it. Two runs give the same bytes.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../../pb_public/vendor");

/** One entry is one served file: what it re-exports and which packages are inside it. */
const bundles = [
    {
        file: "preact.js",
        packages: ["preact", "htm", "@preact/signals", "@preact/signals-core"],
        source: `
import { h } from "preact";
import htm from "htm";
export const html = htm.bind(h);
export { h, render, Fragment, createContext } from "preact";
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext, useId, useErrorBoundary } from "preact/hooks";
export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from "@preact/signals";
`,
    },
    {
        file: "pocketbase.js",
        packages: ["pocketbase"],
        source: `export { default, LocalAuthStore, ClientResponseError } from "pocketbase";`,
    },
];

/** Reads the installed manifest of a package and refuses one that differs from the lock file. */
async function manifest(name) {
    const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
    const installed = JSON.parse(await readFile(join(here, "node_modules", name, "package.json"), "utf8"));
    const wanted = lock.packages["node_modules/" + name]?.version;
    if (installed.version !== wanted) {
        throw new Error(`${name}: ${installed.version} is installed, the lock file says ${wanted}; run "npm ci"`);
    }
    return installed;
}

/** Copies the licence text of a package and returns its name and licence for the banner. */
async function licence(name) {
    const pkg = await manifest(name);
    const dir = join(here, "node_modules", name);
    const file = (await readdir(dir)).find((f) => /^licen[cs]e/i.test(f));
    if (!file) throw new Error(`${name} carries no licence file`);
    const text = (await readFile(join(dir, file), "utf8")).replace(/\r\n/g, "\n");
    await writeFile(join(out, "licenses", name.replace("@", "").replace("/", "-") + ".txt"), text);
    return `${name} ${pkg.version} (${pkg.license})`;
}

async function bundle({ file, packages, source }) {
    const parts = [];
    for (const name of packages) parts.push(await licence(name));
    await build({
        stdin: { contents: source, resolveDir: here, loader: "js" },
        outfile: join(out, file),
        bundle: true,
        minify: true,
        format: "esm",
        target: "es2022",
        charset: "utf8",
        legalComments: "none",
        banner: { js: `/*! ${parts.join(", ")}. Licence texts in licenses/. Built by tools/vendor; do not edit. */` },
        logLevel: "warning",
    });
}

async function files(dir) {
    const found = [];
    for (const entry of await readdir(dir, { withFileTypes: true })) {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) found.push(...(await files(path)));
        else if (entry.name !== "SHA256SUMS") found.push(path);
    }
    return found;
}

await rm(join(out, "licenses"), { recursive: true, force: true });
await mkdir(join(out, "licenses"), { recursive: true });
for (const entry of bundles) await bundle(entry);

const lines = [];
for (const path of await files(out)) {
    const sum = createHash("sha256").update(await readFile(path)).digest("hex");
    lines.push({ name: relative(out, path).replaceAll("\\", "/"), sum });
}
lines.sort((a, b) => (a.name < b.name ? -1 : 1));
await writeFile(join(out, "SHA256SUMS"), lines.map((l) => `${l.sum}  ${l.name}\n`).join(""));
console.log(`${lines.length} files written to pb_public/vendor`);
