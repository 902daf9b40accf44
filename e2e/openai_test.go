package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

// sdk is OpenAI's client for the server. It does not try again, so that a test sees what
// happened first.
func sdk(s *server, key string) *openai.Client {
	client := openai.NewClient(option.WithBaseURL(s.url+"/v1/"), option.WithAPIKey(key), option.WithMaxRetries(0))
	return &client
}

func asks(model string, messages ...openai.ChatCompletionMessageParamUnion) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: messages}
}

// listen reads a streamed answer to its end.
func listen(t *testing.T, client *openai.Client, p openai.ChatCompletionNewParams) (acc openai.ChatCompletionAccumulator, pieces string) {
	t.Helper()
	stream := client.Chat.Completions.NewStreaming(timed(t), p)
	defer stream.Close()
	for stream.Next() {
		chunk := stream.Current()
		if !acc.AddChunk(chunk) {
			t.Fatalf("the accumulator refuses %s", chunk.RawJSON())
		}
		if len(chunk.Choices) > 0 {
			pieces += chunk.Choices[0].Delta.Content
		}
	}
	must(t, stream.Err())
	return acc, pieces
}

// aside is what answers carry for those who know this server.
type aside struct{ Conversation, Turn, Outcome, Level string }

func asideOf(t *testing.T, raw string) aside {
	t.Helper()
	var v struct{ Answerable aside }
	must(t, json.Unmarshal([]byte(raw), &v))
	return v.Answerable
}

// TestConversation: the client keeps the history, and the model is told of it.
func TestConversation(t *testing.T) {
	v := scripted(t, "Answer one is here.\n---\nAnswer two is here.\n---\nAnswer three is here.")
	client := sdk(serve(t, v), "any")
	p := asks("talk", openai.SystemMessage("Speak like a pirate."))
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	p.Temperature = openai.Float(0.7)
	var said []string
	for i, number := range []string{"one", "two", "three"} {
		question, want := "Question "+number+"?", "Answer "+number+" is here."
		p.Messages = append(p.Messages, openai.UserMessage(question))
		acc, pieces := listen(t, client, p)
		if len(acc.Choices) != 1 || acc.Choices[0].Message.Content != want || pieces != want {
			t.Fatalf("turn %d is answered with %s (%q), want %q", i+1, acc.RawJSON(), pieces, want)
		}
		if c := acc.Choices[0]; c.FinishReason != "stop" || c.Message.Role != "assistant" || acc.Model != "talk" || acc.ID == "" || acc.Created == 0 {
			t.Errorf("turn %d: finish %q, role %q, model %q, id %q, created %d", i+1, c.FinishReason, c.Message.Role, acc.Model, acc.ID, acc.Created)
		}
		if u := acc.Usage; u.PromptTokens <= 0 || u.CompletionTokens <= 0 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
			t.Errorf("turn %d: the usage is %s", i+1, u.RawJSON())
		}
		told := <-v.asked
		for _, text := range append(said, question) {
			if !strings.Contains(told, text) {
				t.Errorf("turn %d: the model was not told %q: %s", i+1, text, told)
			}
		}
		if strings.Contains(told, "pirate") {
			t.Errorf("turn %d: the client's system message reached the model: %s", i+1, told)
		}
		said = append(said, question, want)
		p.Messages = append(p.Messages, openai.AssistantMessage(acc.Choices[0].Message.Content))
	}
}

// TestUsage: what the vendor counted is what the client is told, in a chunk of its own or
// in the answer; without being asked for it, a stream has none.
func TestUsage(t *testing.T) {
	client := sdk(serve(t, scripted(t, "Hello there.\nusage 412 9 100")), "any")
	p := asks("talk", openai.UserMessage("Hello?"))
	if acc, _ := listen(t, client, p); acc.Usage.TotalTokens != 0 {
		t.Errorf("nobody asked for usage: %s", acc.Usage.RawJSON())
	}
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	streamed, _ := listen(t, client, p)
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
	whole, err := client.Chat.Completions.New(timed(t), p)
	must(t, err)
	for name, u := range map[string]openai.CompletionUsage{"streamed": streamed.Usage, "whole": whole.Usage} {
		if u.PromptTokens != 412 || u.CompletionTokens != 9 || u.TotalTokens != 421 {
			t.Errorf("%s: the usage is %+v", name, u)
		}
	}
	if got := whole.Usage.PromptTokensDetails.CachedTokens; got != 100 {
		t.Errorf("%d tokens were cached, want 100", got)
	}
}

// TestSources: an answer has annotations over its marks, and what only this server says.
func TestSources(t *testing.T) {
	s := serve(t, scripted(t, "{{passage 1}} [1]"))
	client := sdk(s, "any")
	p := asks("shop", openai.UserMessage("How long until boots cannot be sent back?"))
	whole, err := client.Chat.Completions.New(timed(t), p)
	must(t, err)
	m := whole.Choices[0].Message
	if !strings.HasSuffix(m.Content, ".[1]") || len(m.Annotations) != 1 {
		t.Fatalf("the answer is %s", whole.RawJSON())
	}
	c := m.Annotations[0].URLCitation
	if r := []rune(m.Content); string(r[c.StartIndex:c.EndIndex]) != "[1]" || !strings.HasPrefix(c.URL, s.url+"/sources/") || c.Title == "" {
		t.Errorf("the annotation is %s in %q", m.Annotations[0].RawJSON(), m.Content)
	}
	a := asideOf(t, whole.RawJSON())
	if a.Conversation == "" || a.Turn == "" || a.Outcome != "answered" || a.Level != "full" {
		t.Errorf("what is beside the answer is %+v", a)
	}
	if acc, _ := listen(t, client, p); acc.Choices[0].Message.Content != m.Content {
		t.Errorf("streamed it is %q, whole %q", acc.Choices[0].Message.Content, m.Content)
	}
}

func TestModels(t *testing.T) {
	client := sdk(serve(t, scripted(t, "Hello.")), "any")
	page, err := client.Models.List(timed(t))
	must(t, err)
	var names []string
	for _, m := range page.Data {
		names = append(names, m.ID)
	}
	if strings.Join(names, " ") != "shop talk" {
		t.Errorf("the models are %q", names)
	}
	m, err := client.Models.Get(timed(t), "talk")
	must(t, err)
	if m.ID != "talk" || m.OwnedBy == "" || m.Created == 0 {
		t.Errorf("the model is %s", m.RawJSON())
	}
	_, err = client.Models.Get(timed(t), "gone")
	refused(t, err, 404, "model_not_found")
}

// refused checks that err is an answer of the server, as OpenAI's client reads it.
func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want %d as the SDK's own type", err, status)
	}
	if e.StatusCode != status || e.Code != code || e.Message == "" || e.Type == "" {
		t.Errorf("the error is %d %s, want %d with code %q", e.StatusCode, e.RawJSON(), status, code)
	}
}

func TestRefusals(t *testing.T) {
	client := sdk(serve(t, scripted(t, "Hello.")), "any")
	hello := openai.UserMessage("Hello?")
	n := asks("talk", hello)
	n.N = openai.Int(2)
	tools := asks("talk", hello)
	tools.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "order"})}
	picture := openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
		openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "https://example.com/cat.png"}),
	})
	for _, c := range []struct {
		name   string
		params openai.ChatCompletionNewParams
		status int
		code   string
		param  string
	}{
		{"unknown model", asks("gone", hello), 404, "model_not_found", "model"},
		{"n", n, 400, "malformed_request", "n"},
		{"tools", tools, 400, "malformed_request", "tools"},
		{"picture", asks("talk", picture), 400, "malformed_request", "messages[0].content[0].type"},
		{"no question", asks("talk", openai.AssistantMessage("Hello.")), 400, "malformed_request", "messages"},
		{"empty question", asks("talk", openai.UserMessage("")), 400, "invalid", ""},
		{"a tool's result", asks("talk", openai.ToolMessage("7", "call_1"), hello), 400, "malformed_request", "messages[0].role"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client.Chat.Completions.New(timed(t), c.params)
			refused(t, err, c.status, c.code)
			var e *openai.Error
			if errors.As(err, &e); e.Param != c.param {
				t.Errorf("param is %q, want %q", e.Param, c.param)
			}
			stream := client.Chat.Completions.NewStreaming(timed(t), c.params)
			defer stream.Close()
			if stream.Next() {
				t.Errorf("streamed it is answered with %s", stream.Current().RawJSON())
			}
			refused(t, stream.Err(), c.status, c.code)
		})
	}
	p := asks("talk", hello)
	p.MaxTokens, p.Stop = openai.Int(1), openai.ChatCompletionNewParamsStopUnion{OfString: param.NewOpt("e")}
	if whole, err := client.Chat.Completions.New(timed(t), p); err != nil || whole.Choices[0].Message.Content != "Hello." {
		t.Errorf("fields that are ignored: %v, %v", whole, err)
	}
}

// TestKeys: from the first key on, one is needed.
func TestKeys(t *testing.T) {
	s := serve(t, scripted(t, "Hello."))
	out, err := exec.CommandContext(timed(t), program, "keys", "create", "e2e", "--data", s.data, "--json").Output()
	must(t, err)
	var made struct{ Key string }
	must(t, json.Unmarshal(out, &made))
	p := asks("talk", openai.UserMessage("Hello?"))
	_, err = sdk(s, "wrong").Chat.Completions.New(timed(t), p)
	refused(t, err, 401, "invalid_api_key")
	if whole, err := sdk(s, made.Key).Chat.Completions.New(timed(t), p); err != nil || whole.Choices[0].Message.Content != "Hello." {
		t.Errorf("with the key: %v, %v", whole, err)
	}
}

// TestLeaving: a client that leaves ends the call of the model, which costs.
func TestLeaving(t *testing.T) {
	p := asks("talk", openai.UserMessage("Hello?"))
	begin := func(t *testing.T) (*vendor, *server) {
		v := scripted(t, "It begins here. And so\nstall")
		return v, serve(t, v)
	}
	t.Run("in mid-stream", func(t *testing.T) {
		v, s := begin(t)
		ctx, leave := context.WithCancel(timed(t))
		defer leave()
		stream := sdk(s, "any").Chat.Completions.NewStreaming(ctx, p)
		defer stream.Close()
		if !stream.Next() {
			t.Fatal(stream.Err())
		}
		conversation := asideOf(t, stream.Current().RawJSON()).Conversation
		untilText(t, stream)
		leave()
		if kinds, outcome := s.events(timed(t), conversation); outcome != "stopped" {
			t.Errorf("the turn ended as %s after %q", outcome, kinds)
		}
		v.isLeft(t)
	})
	t.Run("while it waits", func(t *testing.T) {
		v, s := begin(t)
		ctx, leave := context.WithCancel(timed(t))
		defer leave()
		failed := make(chan error, 1)
		go func() {
			_, err := sdk(s, "any").Chat.Completions.New(ctx, p)
			failed <- err
		}()
		<-v.asked
		leave()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("who left is told %v", err)
		}
		v.isLeft(t)
	})
}

// untilText reads a stream up to its first text.
func untilText(t *testing.T, stream *ssestream.Stream[openai.ChatCompletionChunk]) {
	t.Helper()
	for stream.Next() {
		if stream.Current().Choices[0].Delta.Content != "" {
			return
		}
	}
	t.Fatalf("the stream has no text: %v", stream.Err())
}

// TestTakingOver: a model dies in the middle of its answer, and the next one goes on. The
// client cannot take anything back, and sees no word twice.
func TestTakingOver(t *testing.T) {
	const answer = "Boots come back within thirty days. The label lies in the box. Any post office takes them."
	for _, death := range []string{"reset", "cut", "half", `late-error "overloaded"`} {
		t.Run(death, func(t *testing.T) {
			first := scripted(t, "text Boots come back within thirty days. The label\ndelay 100ms\n"+death)
			client := sdk(serve(t, first, scripted(t, answer)), "any")
			acc, pieces := listen(t, client, asks("talk", openai.UserMessage("Can I send boots back?")))
			if pieces != answer || acc.Choices[0].Message.Content != answer || acc.Choices[0].FinishReason != "stop" {
				t.Errorf("the answer is %q (%s), want %q", pieces, acc.Choices[0].FinishReason, answer)
			}
		})
	}
}

// TestACutStream: the server dies in the middle of an answer, and the client can tell.
func TestACutStream(t *testing.T) {
	v := scripted(t, "It begins here. And so\nstall")
	s := serve(t, v)
	stream := sdk(s, "any").Chat.Completions.NewStreaming(timed(t), asks("talk", openai.UserMessage("Hello?")))
	defer stream.Close()
	untilText(t, stream)
	s.kill()
	for stream.Next() {
	}
	if stream.Err() == nil {
		t.Error("a stream that was cut ends without an error")
	}
}
