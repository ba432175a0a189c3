"""What a page looks like and how it answers: a style sheet and a script, both put into the page itself.

The page is whole without the script: a symbol is a link with a title.  The script shows the title at once, also where
the symbol is reached by the keyboard or by a finger, and lets arrows go from symbol to symbol in a line.
"""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#59636e;--line:#d4d9df;--link:#0a58b5;--mark:#e3edf9;
--tip:#1b1f24;--tip-ink:#fff}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e4e7eb;--soft:#a2abb5;--line:#3a424b;--link:#7db7ff;
--mark:#23364d;--tip:#e4e7eb;--tip-ink:#14171b}}
*{box-sizing:border-box}
html{scroll-padding-top:1.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1.06rem/1.6 Charter,"Bitstream Charter",Georgia,Cambria,
"Noto Serif","Noto Serif CJK SC","Songti SC",serif;overflow-wrap:anywhere}
header,nav,main,footer{max-width:56rem;margin:0 auto;padding:0 1.25rem}
h1{font-size:1.7rem;line-height:1.25;margin:2.2rem 0 1rem}
h2{font-size:1.25rem;line-height:1.3;margin:2.4rem 0 .8rem;padding-top:.9rem;border-top:1px solid var(--line)}
nav h2{font-size:1rem;margin:1rem 0 .3rem;padding:0;border:0}
nav ol{margin:0;padding:0 0 0 1.4rem;columns:2 16rem}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
h2 a{color:inherit}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-99rem;top:0;background:var(--paper);padding:.6rem 1rem;z-index:3}
.skip:focus{left:0}
math{font-family:"Latin Modern Math","STIX Two Math","Cambria Math","XITS Math","Libertinus Math",math;font-size:1.06em}
math math{font-size:1em;math-style:inherit;math-depth:inherit}
mtext{padding:0}
table{border-collapse:collapse;margin:1rem 0}
.scroll{overflow-x:auto}
th,td{text-align:left;vertical-align:baseline;padding:.3rem 1.6rem .3rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}
ul{padding-left:1.3rem}
li{margin:.2rem 0}
.display{display:grid;grid-template-columns:repeat(var(--columns),max-content max-content) minmax(.5rem,1fr)
max-content;row-gap:.6em;align-items:baseline;overflow-x:auto;overflow-y:hidden;margin:1rem 0;padding:.35rem 0}
.left{text-align:right}
.c1.left{grid-column:1}.c1.right{grid-column:2}.c2.left{grid-column:3;padding-left:1.6rem}.c2.right{grid-column:4}
.c3.left{grid-column:5;padding-left:1.6rem}.c3.right{grid-column:6}
.c4.left{grid-column:7;padding-left:1.6rem}.c4.right{grid-column:8}
.right>div{white-space:nowrap;padding:.08em 0}
.right>div+div,.further{padding-left:2em}
.note{color:var(--soft);font-size:.88rem;line-height:1.4}
.beside{grid-column:-3;padding:0 .75rem 0 1.5rem;min-width:12rem}
.below{grid-column:2/-1;margin:-.3em 0 .3em;padding-left:3.2rem;max-width:42rem}
.number{grid-column:-2;position:sticky;right:0;background:var(--paper);padding-left:.75rem;color:var(--soft);
font-size:.95rem;text-align:right;scroll-margin-top:6rem}
.algorithm{overflow-x:auto;overflow-y:hidden}.algorithm li{padding-left:calc(var(--depth)*1.6em);white-space:nowrap}
.algorithm .note{margin-left:1.5em}
.centred math{display:block math}
.centred{overflow-x:auto;overflow-y:hidden;margin:1rem 0}
:target,tr:target td,.number:target{background:var(--mark)}
a.symbol{color:inherit}
a.symbol:hover,a.symbol:focus{background:var(--mark);text-decoration:none;border-radius:3px}
#tip{position:fixed;z-index:4;max-width:min(28rem,92vw);background:var(--tip);color:var(--tip-ink);padding:.35rem .7rem;
border-radius:.35rem;font:.92rem/1.4 system-ui,sans-serif;pointer-events:none}
#tip[hidden]{display:none}
footer{color:var(--soft);font-size:.85rem;margin:3rem auto 2rem}
@media (min-width:90rem){nav{position:fixed;top:2.2rem;left:1.25rem;width:calc((100vw - 56rem)/2 - 2rem);
max-width:17rem;padding:0;margin:0;max-height:90vh;overflow-y:auto}nav ol{columns:1}}
@media (max-width:44rem){.display{grid-template-columns:max-content max-content minmax(.5rem,1fr) max-content}
body{font-size:1rem}h1{font-size:1.4rem}p,ul{overflow-x:auto;overflow-y:hidden}
.display>.left{grid-column:1;padding-left:0}.display>.right{grid-column:2}
.beside,.below{grid-column:1/-1;padding-left:2rem;margin-top:-.3em;position:sticky;left:0;max-width:88vw}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--link:#000;--mark:#fff}
nav,.skip,#tip{display:none!important}body{font-size:10pt}header,main,footer{max-width:none;padding:0}
h2{break-after:avoid}.display{overflow:visible;break-inside:avoid}.number{position:static}
a,a:hover{color:inherit;text-decoration:none}}
"""

SCRIPT = """
(function(){
var tip=document.getElementById('tip'),now=null;
function show(a){
 var box=a.getBoundingClientRect();now=a;tip.textContent=a.dataset.words;tip.hidden=false;
 var top=box.top-tip.offsetHeight-8;
 tip.style.top=(top<4?box.bottom+8:top)+'px';
 tip.style.left=Math.max(4,Math.min(box.left,document.documentElement.clientWidth-tip.offsetWidth-4))+'px';
}
function hide(){tip.hidden=true;now=null}
function symbol(e){return e.target.closest?e.target.closest('[data-words]'):null}
document.querySelectorAll('a[title]').forEach(function(a){
 a.dataset.words=a.title;a.setAttribute('aria-description',a.title);a.removeAttribute('title');
});
['mouseover','focusin'].forEach(function(kind){
 document.addEventListener(kind,function(e){var a=symbol(e);if(a)show(a);else if(kind==='mouseover')hide()});
});
document.addEventListener('focusout',hide);
// A symbol that has the focus keeps its words: the page scrolls to it.
document.addEventListener('scroll',function(){if(now&&now===document.activeElement)show(now);else hide()},true);
// A finger cannot point: the first touch explains, the second follows.
var shown=null;
document.addEventListener('click',function(e){
 var a=symbol(e);
 if(a&&e.pointerType==='touch'&&shown!==a){e.preventDefault();show(a);shown=a}else hide();
});
document.addEventListener('keydown',function(e){
 if(e.key==='Escape')return hide();
 var step={ArrowRight:1,ArrowLeft:-1}[e.key],line=e.target.closest('.display,.scroll');
 if(!step||!line||e.altKey||e.ctrlKey||e.metaKey)return;
 var all=Array.from(line.querySelectorAll('a.symbol')),at=all.indexOf(document.activeElement)+step;
 if(at===-2)at=all.length-1;
 if(all[at]){e.preventDefault();all[at].focus();show(all[at])}
});
})();
"""
