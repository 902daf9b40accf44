package assistant

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
)

// The files of the folder prompts.
const (
	personaFile      = "prompts/persona.md"
	instructionsFile = "prompts/instructions.md"
)

const maxPrompt = 4000 // code points of such a file

// read takes one of the assistant's own files.
func (a *Assistant) read(f OwnFile) (err error) {
	switch folder, name := path.Split(f.Path); {
	case f.Path == File:
		a.lines[f.Path], err = config.DecodeLines(f.Path, f.Data, a)
		return err
	case f.Path == personaFile && strings.TrimSpace(a.Persona.Style) != "":
		return wrong(f.Path, "persona.style in %s says how it speaks too; keep one of them", File)
	case f.Path == personaFile:
		a.Persona.Style, err = prose(f)
		return err
	case f.Path == instructionsFile:
		a.Instructions, err = prose(f)
		return err
	case folder == "prompts/":
		hint := config.Meant(name, []string{"persona.md", "instructions.md"})
		if hint == "" {
			hint = "; the files here are persona.md and instructions.md"
		}
		return wrong(f.Path, "this file is not read%s", hint)
	case path.Ext(name) != ".yaml":
		return wrong(f.Path, "this file is not read; the files here are named as in %s%s.yaml", folder, strings.TrimSuffix(name, path.Ext(name)))
	case folder == "policies/":
		var p guard.Policy
		a.lines[f.Path], err = config.DecodeLines(f.Path, f.Data, &p)
		a.Policies = append(a.Policies, p)
		return err
	}
	return nil // golden cases are read when they are asked for
}

// prose returns the text of a file for models.
func prose(f OwnFile) (string, error) {
	data := bytes.TrimPrefix(f.Data, []byte("\ufeff"))
	if err := config.CheckText(f.Path, data); err != nil {
		return "", err
	}
	text := strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
	if text == "" {
		return "", wrong(f.Path, "the file is empty; write what the model is told, or remove it")
	}
	if n := utf8.RuneCountInString(text); n > maxPrompt {
		return "", wrong(f.Path, "the file has %d characters; %d are allowed, as every answer pays for them", n, maxPrompt)
	}
	return text, nil
}
