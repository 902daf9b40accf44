package httpapi

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

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

// shades are what becomes of a company's colour on light and on dark grounds: as near to it
// as can be read.
type shades struct {
	Light string `json:"light"`
	Dark  string `json:"dark"`
}

// ourShades are those that the style sheet has by itself.
var ourShades = shades{Light: "#0b6e63", Dark: "#63d2c2"}

// shadesOf returns those of a colour, #rrggbb.
func shadesOf(accent string) shades {
	if strings.EqualFold(accent, assistant.DefaultWidget().Accent) {
		return ourShades
	}
	c := hexColour(accent)
	return shades{readable(c, lightGrounds, 0).String(), readable(c, darkGrounds, 1).String()}
}

// style gives the page a colour before its script runs.
func (s shades) style() template.HTML {
	if s == ourShades {
		return ""
	}
	// A colour cannot end the element: hexColour makes digits of whatever it is given.
	return template.HTML(fmt.Sprintf("<style>:root{--given-accent:light-dark(%s,%s)}</style>", s.Light, s.Dark))
}

// hexColour reads #rrggbb, which was checked before.
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
