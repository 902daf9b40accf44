package httpapi

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"

	"github.com/answerable/answerable/internal/assistant"
)

// colour is red, green and blue from 0 to 1 (sRGB).
type colour [3]float64

// grounds are what the accent is read on: --ground and --surface of the page's tokens, in
// light and in dark.
var (
	lightGrounds = []colour{hexColour("#f6f8f7"), hexColour("#ffffff")}
	darkGrounds  = []colour{hexColour("#101413"), hexColour("#181e1c")}
)

// accentStyle gives the page a colour of the company's own, where it has one: in light and
// in dark as near to it as can be read. The page's script has the same rule for the widget,
// whose ground the host page may change.
func accentStyle(accent string) template.HTML {
	if accent == assistant.DefaultWidget().Accent {
		return "" // the style sheet has a shade of it for each
	}
	c := hexColour(accent)
	// A colour cannot end the element: hexColour makes digits of whatever it is given.
	return template.HTML(fmt.Sprintf("<style>:root{--given-accent:light-dark(%s,%s)}</style>", readable(c, lightGrounds, 0), readable(c, darkGrounds, 1)))
}

// hexColour reads #rrggbb. The assistant's file was checked when it was loaded.
func hexColour(s string) (c colour) {
	for i := range c {
		n, err := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic("httpapi: an accent is no colour: " + s)
		}
		c[i] = float64(n) / 255
	}
	return c
}

func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// luminance is the relative luminance of WCAG 2.2.
func (c colour) luminance() float64 {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}

func (c colour) mix(d colour, share float64) colour {
	for i := range c {
		c[i] = c[i]*(1-share) + d[i]*share
	}
	return c
}

func contrast(a, b colour) float64 {
	low, high := a.luminance(), b.luminance()
	if low > high {
		low, high = high, low
	}
	return (high + 0.05) / (low + 0.05)
}

const (
	enoughContrast = 4.5  // of text (WCAG 2.2, 1.4.3)
	tint           = 0.12 // the share of the accent in the ground of a mark, with some room
)

// readable moves an accent towards end, 0 for black and 1 for white, as little as makes it
// readable on every ground, and on one that is tinted with itself.
func readable(accent colour, grounds []colour, end float64) colour {
	for share := 0.0; share < 1; share += 0.03 {
		c := accent.mix(colour{end, end, end}, share)
		weak := slices.ContainsFunc(grounds, func(ground colour) bool {
			return contrast(c, ground) < enoughContrast || contrast(c, ground.mix(c, tint)) < enoughContrast
		})
		if !weak {
			return c
		}
	}
	return colour{end, end, end}
}
