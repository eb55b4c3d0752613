// Builds the page into one file: script and styles inline, each allowed by its hash and nothing
// else (Content-Security-Policy), and a marker where the html writer puts the run.
//
//   node build.mjs --modules DIRECTORY_OF_NODE_MODULES --out FILE
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

function argument(name) {
    const at = process.argv.indexOf(`--${name}`);
    if (at < 0 || !process.argv[at + 1]) throw new Error(`build.mjs: --${name} is missing`);
    return resolve(process.argv[at + 1]);
}

const modules = argument("modules");
const out = argument("out");
// The modules lie in the build tree, not beside this file, so that presets do not share them.
const esbuild = createRequire(join(modules, "..", "package.json"))("esbuild");

async function bundle(entry) {
    const built = await esbuild.build({
        entryPoints: [join(here, "source", entry)],
        bundle: true,
        minify: true,
        write: false,
        format: "iife",
        target: ["es2020"],
        charset: "utf8",
        legalComments: "none",
        nodePaths: [modules],
    });
    return built.outputFiles[0].text.trim();
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const script = (await bundle("main.ts")).replaceAll("</script", "<\\/script");
const style = await bundle("style.css");
const parts = {
    "@POLICY@": `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:`,
    "@STYLE@": style,
    "@SCRIPT@": script,
};
let page = readFileSync(join(here, "source", "page.html"), "utf8");
for (const [marker, text] of Object.entries(parts)) page = page.replace(marker, () => text);
writeFileSync(out, page);
