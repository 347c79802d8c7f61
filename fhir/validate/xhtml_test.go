package validate_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
)

func narrative(t testing.TB, div string) []fault.Issue {
	t.Helper()
	return issues(t, string(fhir.AppendString([]byte(`{"resourceType":"Basic","code":{"text":"x"},"text":{"status":"generated","div":`), div))+`}}`)
}

// inside wraps the content of a narrative.
func inside(content string) string {
	return `<div xmlns="http://www.w3.org/1999/xhtml">` + content + `</div>`
}

func TestNarrativesThatAreAllowed(t *testing.T) {
	for _, div := range []string{
		inside("text"),
		inside("<p>text</p>"),
		inside(`<p class="a" style="color: red; width:10%" id='x' title="a>b">text <b>bold</b><br/><br />and <i >more</i ></p>`),
		inside(`<table border="1" class="grid"><thead><tr><th colspan="2">a</th></tr></thead><tbody><tr><td rowspan='2'>b</td><td/></tr></tbody></table>`),
		inside(`<a href="https://example.org/?a=1&amp;b=2">x</a><a href="#top">y</a><a name="top"/><a href="Patient/1">z</a><a href="mailto:a@example.org">m</a>`),
		inside(`<img src="data:image/png;base64,AAAA" alt="x"/>`),
		inside(`<img src="picture.png"/>`),
		inside(`&lt;script&gt; &amp; &quot;&apos; &#233; &#xE9; &nbsp;&eacute; text`),
		inside(`<!-- a note with <b>markup</b> --> text`),
		inside(`%3Cscript%3E ' OR 1=1; DROP TABLE x -- text`),
		inside(`<h1>a</h1><ul><li>b</li></ul><ol start="3"><li value="4">c</li></ol><dl><dt>d</dt><dd>e</dd></dl><pre>f</pre><blockquote>g</blockquote><hr/>`),
		inside(`<div xmlns="http://www.w3.org/1999/xhtml"><span xml:lang="en" lang="en">x</span></div>`),
		"\n " + inside("text") + " \n",
		`<div xmlns='http://www.w3.org/1999/xhtml' class="x">text</div>`,
		`<div class="x" xmlns = "http://www.w3.org/1999/xhtml" >text</div >`,
		inside(strings.Repeat("<b>", 199) + "x" + strings.Repeat("</b>", 199)),
		inside("日本語"),
	} {
		if list := narrative(t, div); len(list) > 0 {
			t.Errorf("%.200s: %s", div, list[0].Text)
		}
	}
}

func TestNarrativesThatAreRefused(t *testing.T) {
	for _, div := range []string{
		// not a div of the namespace
		"text", "<p>text</p>", "<div>text</div>", `<div xmlns="http://www.w3.org/1999/html">text</div>`, `<DIV xmlns="http://www.w3.org/1999/xhtml">text</DIV>`,
		`<x:div xmlns:x="http://www.w3.org/1999/xhtml">text</x:div>`, inside("a") + inside("b"), inside("a") + "b", "a" + inside("b"), "<div", "<div ", "<", "<!", "<div/>",
		`<?xml version="1.0"?>` + inside("a"), `<!DOCTYPE div>` + inside("a"), inside(`<div xmlns="http://www.w3.org/2000/svg">a</div>`),
		// without content
		inside(""), inside(" \n\t"), inside("<p/>"), inside("<!-- a -->"), inside("<br/>&#160;&nbsp;\u00a0"),
		// not well-formed
		inside("<p>a"), inside("a</p>"), inside("<b><i>a</b></i>"), inside("<br>a"), inside("a < b"), inside("a & b"), inside("a ]]> b"), inside("&#0; a"), inside("&#xd800; a"),
		inside("&#; a"), inside("&#x; a"), inside("&unknown; a"), inside("&#99999999999; a"), inside("&#1114112;a"), inside("&;a"), inside("&amp a"),
		inside(`<p title=a>a</p>`), inside(`<p title>a</p>`), inside(`<p title="a"id="b">a</p>`), inside(`<p title="a" title="b">a</p>`), inside(`<p title="<">a</p>`), inside(`<p title="a>a</p>`),
		inside(`<p/ >a`), inside(`< p>a</p>`), inside(`<p>a</p`), inside(`<p>a</ p>`), inside(`<!-- a`), inside(`<!-- a -- b -->c`), inside(`<!---->a<!-->b-->`),
		inside(strings.Repeat("<b>", 200) + "x" + strings.Repeat("</b>", 200)),
		// elements and attributes that are not allowed
		inside(`<script>alert(1)</script>a`), inside(`<SCRIPT>alert(1)</SCRIPT>a`), inside(`<script src="http://example.org/x.js"/>a`), inside(`<style>p {}</style>a`),
		inside(`<form action="x"><input type="text"/></form>a`), inside(`<iframe src="x"/>a`), inside(`<object data="x"/>a`), inside(`<embed src="x"/>a`), inside(`<link rel="stylesheet" href="x"/>a`),
		inside(`<meta content="x"/>a`), inside(`<base href="x"/>a`), inside(`<svg><a/></svg>a`), inside(`<math>a</math>`), inside(`<head/>a`), inside(`<body>a</body>`), inside(`<button>a</button>`),
		inside(`<video src="x"/>a`), inside(`<h:p>a</h:p>`), inside(`<template>a</template>`), inside(`<noscript>a</noscript>`), inside(`<textarea>a</textarea>`), inside(`<título>a</título>`),
		inside(`<p onclick="alert(1)">a</p>`), inside(`<img src="x" onerror="alert(1)"/>`), inside(`<p ONCLICK="x">a</p>`), inside(`<a href="x" xlink:href="y">a</a>`), inside(`<p href="x">a</p>`),
		inside(`<p xmlns:x="y">a</p>`), inside(`<a ping="x">a</a>`), inside(`<img srcset="x"/>`), inside(`<div background="x">a</div>`),
		// links and styles that run code
		inside(`<a href="javascript:alert(1)">a</a>`), inside(`<a href=" JavaScript:alert(1)">a</a>`), inside(`<a href="java&#10;script:alert(1)">a</a>`), inside(`<a href="&#106;avascript:alert(1)">a</a>`),
		inside("<a href=\"java\tscript:alert(1)\">a</a>"), inside(`<a href="vbscript:x">a</a>`), inside(`<a href="data:text/html,x">a</a>`), inside(`<a href="data:image/png;base64,AAAA">a</a>`),
		inside(`<img src="javascript:alert(1)"/>`), inside(`<img src="data:text/html;base64,AAAA"/>`), inside(`<img src="&#x6A;avascript&colon;x"/>`), inside(`<blockquote cite="javascript:x">a</blockquote>`),
		inside(`<p style="width: expression(alert(1))">a</p>`), inside(`<p style="background:url(javascript:alert(1))">a</p>`), inside(`<p style="w: exp/**/ression(x)">a</p>`), inside(`<p style="@import 'x'">a</p>`),
		inside(`<p style="b\65havior: url(x)">a</p>`), inside(`<p style="-moz-binding: url(x)">a</p>`),
		// what HTML and XML read differently
		inside(`<![CDATA[<script>alert(1)</script>]]>a`), inside(`a<?php x ?>`), inside(`a<!ENTITY x "y">`), inside(`<!--[if gte IE 4]><script>alert(1)</script><![endif]-->a`), inside(`<!-- [if IE]> x <![endif]-->a`),
		inside(`<!--><script>alert(1)</script>-->a`), inside(`<!---><script>alert(1)</script>-->a`),
	} {
		list := narrative(t, div)
		if len(list) != 1 || list[0].Code != "invariant" || list[0].Expression != "Basic.text.div" {
			t.Errorf("%.200s: %v", div, list)
		}
	}
}

func FuzzNarrative(f *testing.F) {
	f.Add(inside(`<p title="a&amp;b">x<br/><!-- y --></p>`))
	f.Add(inside(`<a href='javascript:x'>&#x41;</a><img src="data:image/png,x"/>`))
	f.Fuzz(func(t *testing.T, div string) {
		for _, c := range []byte(div) {
			if c >= 0x80 {
				return // JSON takes UTF-8 only
			}
		}
		accepted := len(narrative(t, div)) == 0
		lower := strings.ToLower(div)
		for _, bad := range []string{"<script", "<![cdata[", "<!doctype", "<iframe", "<?"} {
			if i := strings.Index(lower, bad); accepted && i >= 0 && !strings.Contains(lower[:i], "<!--") {
				t.Errorf("accepted: %s", div)
			}
		}
	})
}
