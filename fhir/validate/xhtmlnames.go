package validate

import "strings"

// attributes is a set of attributes that go together.
type attributes uint16

const (
	forCells attributes = 1 << iota
	forColumns
	forTables
	forLinks
	forImages
	forAreas
	forMaps
	forLists
	forQuotes
	forRules
	forBreaks
	forBlocks
)

// xhtmlElements are the elements of chapters 7 to 11 (without 9.4) and 15 of HTML
// 4.0, with a, img and the maps of images, and the attributes they may have
// besides those that every element may have (FHIR R4 narrative §2.4.0).
var xhtmlElements = map[string]attributes{
	"a": forLinks, "abbr": 0, "acronym": 0, "address": 0, "area": forAreas, "b": 0, "bdo": 0, "big": 0,
	"blockquote": forQuotes, "br": forBreaks, "caption": forBlocks, "cite": 0, "code": 0, "col": forColumns,
	"colgroup": forColumns, "dd": 0, "dfn": 0, "div": forBlocks, "dl": forLists, "dt": 0, "em": 0,
	"h1": forBlocks, "h2": forBlocks, "h3": forBlocks, "h4": forBlocks, "h5": forBlocks, "h6": forBlocks,
	"hr": forRules, "i": 0, "img": forImages, "kbd": 0, "li": forLists, "map": forMaps, "ol": forLists,
	"p": forBlocks, "pre": forRules, "q": forQuotes, "samp": 0, "small": 0, "span": 0, "strong": 0, "sub": 0,
	"sup": 0, "table": forTables, "tbody": forCells, "td": forCells, "tfoot": forCells, "th": forCells,
	"thead": forCells, "tr": forCells, "tt": 0, "ul": forLists, "var": 0,
	"font": forBlocks, "s": 0, "strike": 0, "u": 0,
}

// xhtmlAttributes are the attributes that some or (everywhere) all elements may have.
var xhtmlAttributes = map[string]attributes{
	"accesskey": everywhere, "class": everywhere, "dir": everywhere, "id": everywhere, "lang": everywhere, "style": everywhere,
	"tabindex": everywhere, "title": everywhere, "xml:lang": everywhere, "xml:space": everywhere,

	"abbr": forCells, "axis": forCells, "headers": forCells, "scope": forCells, "rowspan": forCells, "colspan": forCells,
	"nowrap": forCells, "char": forCells | forColumns, "charoff": forCells | forColumns, "valign": forCells | forColumns,
	"bgcolor": forCells | forTables, "align": forCells | forColumns | forTables | forImages | forRules | forBlocks,
	"width":  forCells | forColumns | forTables | forImages | forRules,
	"height": forCells | forImages, "span": forColumns,
	"border": forTables | forImages, "cellpadding": forTables, "cellspacing": forTables, "frame": forTables,
	"rules": forTables, "summary": forTables,
	"href": forLinks | forAreas, "name": forLinks | forMaps, "hreflang": forLinks, "rel": forLinks, "rev": forLinks,
	"type": forLinks | forLists, "charset": forLinks, "coords": forLinks | forAreas, "shape": forLinks | forAreas,
	"target": forLinks | forAreas, "nohref": forAreas, "alt": forImages | forAreas,
	"src": forImages, "longdesc": forImages, "usemap": forImages, "ismap": forImages, "hspace": forImages, "vspace": forImages,
	"cite": forQuotes, "compact": forLists, "start": forLists, "value": forLists,
	"noshade": forRules, "size": forRules | forBlocks, "clear": forBreaks, "color": forBlocks, "face": forBlocks,
}

const everywhere = ^attributes(0)

// checkAttribute checks an attribute of an element that may have those of the set allowed.
func (x *xhtml) checkAttribute(allowed attributes, name, value string) {
	set, known := xhtmlAttributes[name]
	if !known || set != everywhere && set&allowed == 0 {
		x.fail(ruleAttribute)
		return
	}
	switch name {
	case "href", "cite", "longdesc", "usemap":
		if dangerous(value, false) {
			x.fail(ruleLink)
		}
	case "src":
		if dangerous(value, true) {
			x.fail(ruleLink)
		}
	case "style":
		if dangerousStyle(value) {
			x.fail(ruleStyle)
		}
	}
}

// squeeze returns s in lower case and without the characters that browsers
// leave out of URLs.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		if r >= 'A' && r <= 'Z' {
			return r | 0x20
		}
		return r
	}, s)
}

// dangerous reports whether a link runs code or carries a document in itself.
// Images may carry their data.
func dangerous(url string, image bool) bool {
	scheme, rest, ok := strings.Cut(squeeze(url), ":")
	if !ok {
		return false
	}
	switch scheme {
	case "javascript", "vbscript", "livescript":
		return true
	case "data":
		return !image || !strings.HasPrefix(rest, "image/")
	}
	return false
}

// dangerousStyle reports whether an inline style can run code in some browser or
// loads another style. Escapes and comments, which could hide such, are refused too.
func dangerousStyle(style string) bool {
	s := squeeze(style)
	for _, bad := range []string{`\`, "/*", "@", "expression(", "javascript:", "vbscript:", "behavior:", "-moz-binding", "data:text"} {
		if strings.Contains(s, bad) {
			return true
		}
	}
	return false
}
