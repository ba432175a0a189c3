// Formulas as JSON on the standard input -> what KaTeX and MathJax say of each, and its width in a text of 16 pixels.
const katex = require('katex');
const {mathjax} = require('mathjax-full/js/mathjax.js');
const {TeX} = require('mathjax-full/js/input/tex.js');
const {SVG} = require('mathjax-full/js/output/svg.js');
const {liteAdaptor} = require('mathjax-full/js/adaptors/liteAdaptor.js');
const {RegisterHTMLHandler} = require('mathjax-full/js/handlers/html.js');
require('mathjax-full/js/input/tex/ams/AmsConfiguration.js');

const adaptor = liteAdaptor();
RegisterHTMLHandler(adaptor);
const input = new TeX({packages: ['base', 'ams'], formatError: (_, error) => { throw error; }});
const page = mathjax.document('', {InputJax: input, OutputJax: new SVG({fontCache: 'none'})});

function measure(tex, display) {
  // An ex is half an em in the letters of a web page; tags hold a display open to the width of its container.
  const html = adaptor.outerHTML(page.convert(tex, {display, em: 16, ex: 8, containerWidth: 1e6}));
  const widths = [...html.matchAll(/(?:min-width: |width=")([\d.]+)ex/g)].map(match => 8 * parseFloat(match[1]));
  return Math.max(0, ...widths);
}

const found = JSON.parse(require('fs').readFileSync(0, 'utf8')).map(([tex, display]) => {
  const one = {errors: [], width: 0};
  try {
    katex.renderToString(tex, {displayMode: display, strict: 'error', throwOnError: true});
  } catch (error) {
    one.errors.push(`KaTeX: ${error.message}`);
  }
  try {
    one.width = measure(tex, display);
  } catch (error) {
    one.errors.push(`MathJax: ${error.message}`);
  }
  return one;
});
console.log(JSON.stringify(found));
