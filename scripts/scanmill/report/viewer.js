// What the page adds to vtk.js: what is shown, from where, and the keyboard.
const byId = (id) => document.getElementById(id);
const each = (name) => [...document.querySelectorAll(`#controls [data-${name}]`)];

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

// Arrays come later than the objects that have them.
function loaded() {
  return new Promise((done) => {
    const look = () => {
      const renderer = window.renderWindow?.getRenderers().at(-1);
      const props = renderer?.getViewProps() ?? [];
      const there = (prop) => prop.getMapper()?.getInputData()?.getPointData().getNumberOfArrays() > 0;
      props.length && props.every(there) ? done([renderer, props]) : setTimeout(look, 20);
    };
    look();
  });
}

async function start() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    byId("scene").textContent = "The 3D view needs a browser with WebGL 2.";
    return;
  }
  const file = await (await unpacked("viewer-scene")).blob();
  const labels = new Uint16Array(await (await unpacked("viewer-labels")).arrayBuffer());
  window.global = window;
  window.loadDataSet = () => OfflineLocalView.load(byId("scene"), { file });
  const code = document.createElement("script");
  code.type = "module";
  code.textContent = await (await unpacked("viewer-code")).text();
  byId("scene").replaceChildren();
  document.body.append(code);
  control(...(await loaded()), labels);
}

function control(renderer, props, labels) {
  const bodies = props.filter((prop) => prop.isA("vtkActor"));
  const slices = props.filter((prop) => prop.isA("vtkImageSlice"));
  const camera = renderer.getActiveCamera();
  const render = () => {
    renderer.resetCameraClippingRange();
    window.renderWindow.render();
  };

  const image = slices[0].getMapper().getInputData();
  const scalars = image.getPointData().getScalars();
  const grey = scalars.getData();
  // Structures that others lie in would tint all of these: their surface is cut, their mask is not shown.
  const paint = () => {
    const colours = [null];
    each("body").forEach((box) => {
      const hex = parseInt(box.dataset.colour.slice(1), 16);
      const seen = box.checked && !("around" in box.dataset);
      colours.push(seen ? [hex >> 16, (hex >> 8) & 255, hex & 255] : null);
    });
    const rgb = new Uint8Array(3 * grey.length);
    grey.forEach((value, n) => {
      const colour = colours[labels[n]];
      for (let k = 0; k < 3; k++) rgb[3 * n + k] = colour ? 0.55 * value + 0.45 * colour[k] : value;
    });
    scalars.setData(rgb, 3);
    image.modified();
  };

  const show = () => {
    each("body").forEach((box) => bodies[box.dataset.body].setVisibility(box.checked));
    each("slice").forEach((box) => slices[box.dataset.slice].setVisibility(box.checked));
    each("place").forEach((range) => slices[range.dataset.place].getMapper().setSlice(+range.value));
    if (slices.some((slice) => slice.getVisibility())) paint();
    render();
  };

  const FROM = { front: [0, -1, 0], back: [0, 1, 0], left: [1, 0, 0], right: [-1, 0, 0], head: [0, 0, 1], feet: [0, 0, -1] };
  const look = (from) => {
    camera.setFocalPoint(0, 0, 0);
    camera.setPosition(...FROM[from]);
    camera.setViewUp(...(FROM[from][2] ? [0, -1, 0] : [0, 0, 1]));
    renderer.resetCamera();
    // It fits the height; a narrow view would cut both sides.
    const { width, height } = byId("scene").getBoundingClientRect();
    camera.dolly(1.25 * Math.min(1, width / height));
    render();
  };

  const TURNS = { ArrowLeft: ["azimuth", 10], ArrowRight: ["azimuth", -10], ArrowUp: ["elevation", -10], ArrowDown: ["elevation", 10], "+": ["dolly", 1.1], "-": ["dolly", 1 / 1.1] };
  byId("scene").addEventListener("keydown", (event) => {
    const [turn, by] = TURNS[event.key] ?? [];
    if (!turn) return;
    event.preventDefault();
    camera[turn](by);
    camera.orthogonalizeViewUp();
    render();
  });
  byId("controls").addEventListener("input", show);
  each("from").forEach((button) => button.addEventListener("click", () => look(button.dataset.from)));
  each("all").forEach((button) =>
    button.addEventListener("click", () => {
      each("body").forEach((box) => (box.checked = button.dataset.all === "true"));
      show();
    })
  );
  renderer.setBackground(0, 0, 0);
  show();
  look("front");
  byId("scene").dataset.ready = "";
}

start();
