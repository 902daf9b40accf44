package inbox

import (
	"context"

	"github.com/answerable/answerable/internal/chat"
)

// SwitchOff switches an assistant off, or all: their running turns end here and on other
// nodes, and those to come answer nobody. When it has returned, nothing more is shown but
// the line that off may have.
func (in *Inbox) SwitchOff(ctx context.Context, off chat.Off) error {
	cut, err := in.Store.SwitchOff(ctx, off, func(assistant string, said []chat.Message) (chat.Text, chat.Entry) {
		return in.Runner(assistant).Silence(off, said)
	})
	for _, c := range cut {
		in.moved(c, nil)
	}
	return err
}
