package browser

// box is where a target stands: its middle in CSS pixels, and whether it is free of anything that covers it.
type box struct {
	Found bool    `json:"found"`
	Free  bool    `json:"free"`
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
}

// find wraps a call of one of the finder's functions so that it leaves nothing behind in the page.
func find(call string) string { return "(() => {" + finder + "return " + call + "})()" }

// finder is how Click, Fill and Focused see the page.
const finder = `
const clean = (s) => (s ?? "").replace(/\s+/g, " ").trim();
const visible = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== "hidden"; };
const nameOf = (e) => clean(e.getAttribute("aria-label")) || clean(e.labels?.[0]?.innerText) || clean(e.innerText) || clean(e.value);
const scope = () => [...document.querySelectorAll("dialog[open]")].pop() ?? document;
const pick = (selector, text) => {
    const all = [...scope().querySelectorAll(selector)].filter(visible);
    return all.find((e) => nameOf(e) === text) ?? all.find((e) => nameOf(e).toLowerCase() === text.toLowerCase()) ?? all.find((e) => nameOf(e).includes(text));
};
const target = (what) => what.startsWith("css=")
    ? [...document.querySelectorAll(what.slice(4))].find(visible)
    : pick("button, a[href], summary, [role=button], input[type=submit]", what) ?? pick("label, option", what);
const place = (what) => {
    const e = target(what);
    if (!e) return { found: false, free: false, x: 0, y: 0 };
    let r = e.getBoundingClientRect();
    if (r.top < 0 || r.bottom > innerHeight) { e.scrollIntoView({ block: "center", behavior: "instant" }); r = e.getBoundingClientRect(); }
    const x = r.left + r.width / 2, y = r.top + r.height / 2;
    const hit = document.elementFromPoint(x, y);
    const free = hit !== null && (e.contains(hit) || hit.contains(e) && hit.closest("label") === e.closest("label"))
        && e.getAttribute("aria-disabled") !== "true" && !e.disabled;
    return { found: true, free, x, y };
};
const field = (what) => {
    if (what.startsWith("css=")) return [...document.querySelectorAll(what.slice(4))].find(visible);
    return pick("input:not([type=radio]):not([type=checkbox]), select, textarea", what);
};
const prepare = (what, value) => {
    const e = field(what);
    if (!e) return false;
    e.focus();
    if (e.tagName !== "SELECT") { e.select(); if (value === "") document.execCommand("delete"); return document.activeElement === e; }
    const option = [...e.options].find((o) => clean(o.textContent) === value || o.value === value);
    if (!option) return false;
    e.value = option.value;
    e.dispatchEvent(new Event("input", { bubbles: true }));
    e.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
};
`
