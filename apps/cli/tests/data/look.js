// What a person would stumble over: figures that are not drawn, a page wider than the window, text that is hard to
// read, scrollers that the keyboard does not reach. Left as an attribute of the body.
(() => {
  const bad = [];
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const colour = (text) => {
    const numbers = (text.match(/[\d.]+(e-?\d+)?/g) || []).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return { rgb: numbers.slice(0, 3).map((n) => n * scale), alpha: numbers.length > 3 ? numbers[3] : 1 };
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const layer = colour(getComputedStyle(e).backgroundColor);
      layers.unshift(layer);
      if (layer.alpha === 1) break;
    }
    return layers.reduce((under, { rgb, alpha }) => rgb.map((v, i) => v * alpha + under[i] * (1 - alpha)), [255, 255, 255]);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || element.closest("script")) continue;
    const style = getComputedStyle(element);
    const ink = colour(element.closest("svg") ? style.fill : style.color).rgb;
    const ratio = contrast(ink, behind(element.closest("svg") ? element.closest("svg").parentElement : element));
    if (ratio < 4.5) bad.push(`contrast ${ratio.toFixed(2)} of "${element.textContent.trim().slice(0, 30)}"`);
  }
  const drawings = [...document.querySelectorAll(".drawing svg")];
  for (const svg of drawings) {
    const box = svg.getBoundingClientRect();
    if (box.width < 200 || box.height < 130) bad.push(`drawing of ${box.width} x ${box.height}`);
    if (svg.querySelectorAll("polyline, circle, rect").length < 3) bad.push("an empty drawing");
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    bad.push(`${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);
  }
  for (const link of document.querySelectorAll("nav a")) {
    if (!document.querySelector(link.getAttribute("href"))) bad.push(`a link to nowhere: ${link.textContent}`);
  }
  for (const box of document.querySelectorAll(".scroll")) if (box.tabIndex !== 0) bad.push("a scroller without keyboard");
  document.body.dataset.found = JSON.stringify({ drawings: drawings.length, bad });
})();
