"use strict";
// Makes a picture that stands alone of what a page with one run shows, for the pages of the book. Added to such a page, with
// STILL set: the view, the width, the title.
addEventListener("load", () => {
  const place = document.querySelector("details.run .picture");
  place.style.width = STILL.width + "px";
  picture(place, DATA.runs[0], STILL.view);
  // A view that the run does not have is missed by who asked for it.
  if (place.querySelector("[aria-pressed=true]").dataset.view !== STILL.view) return;
  const lanes = place.querySelector("svg.lanes");
  const tall = lanes.viewBox.baseVal.height, used = (name) => lanes.querySelector("." + name.replace(" ", "."));
  const keys = [["starting", "starting"], ["arriving", "first code"], ["online", "online"], ["leaving", "on its way off"],
    ["owner", "owns the stop"], ["parked", "stands still"], ["silent", "did not stop"], ["arrow start", "start → first code"],
    ["arrow signal", "signal → acknowledgement"]].filter(([name]) => used(name));
  let x = 8;
  const legend = keys.map(([name, text]) => {
    const at = x;
    x += 26 + text.length * 6.2;
    const mark = name.startsWith("arrow") ? `<path class="${name}" d="M${at} 34h12"/>` : `<rect class="${name}" x="${at}" y="29" width="12" height="10"/>`;
    return `${mark}<text x="${at + 16}" y="38">${text}</text>`;
  });
  const rules = [...document.styleSheets[0].cssRules].filter((rule) => {
    if (rule.media) return rule.conditionText.includes("color-scheme");
    return rule.selectorText === ":root" || /^(svg text|\.[a-z])/.test(rule.selectorText) && !/hover/.test(rule.selectorText) && lanes.parentNode.querySelector(`svg.lanes ${rule.selectorText.replace("svg ", "")}`);
  });
  const inner = lanes.cloneNode(true);
  inner.querySelectorAll("[data-t]").forEach((shape) => shape.removeAttribute("data-t"));
  const body = [...inner.childNodes].map((node) => new XMLSerializer().serializeToString(node).replaceAll(' xmlns="http://www.w3.org/2000/svg"', "")).join("\n");
  const out = document.createElement("pre");
  out.id = "still";
  // Its own ground, so that it can be read on a page that has other colours than the system.
  out.textContent = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${STILL.width} ${tall + 52}" role="img" aria-label="${esc(STILL.title)}">
<style>${rules.map((rule) => rule.cssText.replace(/\s+/g, " ")).join("\n")}</style>
<rect width="100%" height="100%" rx="4" style="fill:var(--card)"/>
<text x="8" y="18" style="fill:var(--ink);font-weight:600;font-size:12px">${esc(STILL.title)}</text>
${legend.join("\n")}
<g transform="translate(0 46)">
${body}
</g>
</svg>`;
  document.body.append(out);
});
