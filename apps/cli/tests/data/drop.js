// Drops a model and a table on the page of examples/browser, saves, and leaves what came of it as an attribute of the body.
(async () => {
  const found = {};
  try {
    const file = async (name) => new File([await (await fetch(`../../${name}`)).arrayBuffer()], name);
    const files = new DataTransfer();
    for (const name of ["model.smidgen", "table.csv"]) files.items.add(await file(name));
    dispatchEvent(Object.assign(new Event("drop", { cancelable: true }), { dataTransfer: files }));
    const said = document.getElementById("said");
    while (!/ rows predicted/.test(said.textContent) && !said.classList.contains("bad")) await new Promise((next) => setTimeout(next, 20));
    found.said = said.textContent;
    const saved = new Promise((given) => (URL.createObjectURL = (blob) => (blob.text().then(given), "data:,")));
    HTMLAnchorElement.prototype.click = function () { found.name = this.download; };
    document.getElementById("save").click();
    found.saved = await saved;
    found.shown = document.querySelectorAll("#rows tbody tr").length;
    found.wide = document.documentElement.scrollWidth > innerWidth + 1;
  } catch (error) {
    found.error = String(error);
  }
  document.body.dataset.found = JSON.stringify(found);
})();
