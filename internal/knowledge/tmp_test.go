package knowledge
import ("testing";"os";"fmt";"time";"compress/gzip";"bufio";"encoding/json";"math/rand";"strings";"context";"slices";"runtime";"path/filepath"
"github.com/answerable/answerable/internal/chat";"github.com/answerable/answerable/internal/lang")
func load(t *testing.T) (docs []Document, qs []string){
 f,_:=os.Open("/work/shared/data/conversation/scifact/docs.jsonl.gz"); z,_:=gzip.NewReader(f); s:=bufio.NewScanner(z); s.Buffer(nil,1<<20)
 for s.Scan(){ var d struct{ID,Title,Text string}; json.Unmarshal(s.Bytes(),&d); docs=append(docs,Document{ID:d.ID,Title:d.Title,Text:d.Text}) }
 f,_=os.Open("/work/shared/data/conversation/scifact/queries.jsonl"); s=bufio.NewScanner(f)
 for s.Scan(){ var d struct{Text string}; json.Unmarshal(s.Bytes(),&d); qs=append(qs,d.Text)}
 return
}
func TestTmpBench(t *testing.T){
 base,qs:=load(t)
 var sents []string
 for _,d:=range base{ for _,s:=range lang.Sentences(d.Text){ sents=append(sents,d.Text[s.Start:s.End]) } }
 for _,n:=range []int{20000}{
  r:=rand.New(rand.NewSource(1)); docs:=[]Document{}
  for i:=0;i<n;i++{ var b strings.Builder; for b.Len()<845 { b.WriteString(sents[r.Intn(len(sents))]) ; b.WriteByte(' ')}; docs=append(docs,Document{ID:fmt.Sprintf("d%07d",i),Title:base[i%len(base)].Title,Text:b.String()}) }
  t0:=time.Now(); g,err:=Build(docs); el:=time.Since(t0); if err!=nil{t.Fatal(err)}
  text:=0; for _,d:=range docs{text+=len(d.Text)+len(d.Title)}
  dir:=t.TempDir(); t0=time.Now(); p,_:=g.WriteFile(dir); w:=time.Since(t0)
  fmt.Println(n,"chunks",g.Chunks(),"build",el,float64(g.Chunks())/el.Seconds(),"/s  size",g.Size(),"index B/chunk",(g.Size()-text)/g.Chunks(),"words",(len(g.words.postings)+len(g.words.terms)+len(g.words.ends))/g.Chunks(),"pairs",(len(g.pairs.keys)+len(g.pairs.postings))/g.Chunks(), "write",w)
  g=nil; runtime.GC()
  for i:=0;i<3;i++{ t0=time.Now(); g,err=OpenGeneration(p); fmt.Println("open",time.Since(t0),err) }
  runtime.GC(); var m runtime.MemStats; runtime.ReadMemStats(&m); fmt.Println("heap",m.HeapAlloc>>20)
  for _,hist:=range []bool{false,true}{
  var ds,fs []time.Duration
  for i,q:=range qs{ qq:=Query{Text:chat.Text(q)}; if hist { for j:=0;j<3;j++{ qq.History=append(qq.History,chat.Message{Role:chat.Customer,Text:chat.Text(qs[(i+j+1)%len(qs)])}) } }
   t0=time.Now(); g.Search(qq,50); ds=append(ds,time.Since(t0)); t0=time.Now(); g.Find(context.Background(),qq); fs=append(fs,time.Since(t0)) }
  slices.Sort(ds);slices.Sort(fs); fmt.Println("hist",hist,"search p50",ds[len(ds)/2],"p99",ds[len(ds)*99/100],"find p50",fs[len(fs)/2],"p99",fs[len(fs)*99/100])
  }
 }
}
func TestTmpRead(t *testing.T){
 base,_:=load(t); dir:=t.TempDir()
 for i:=0;i<10000;i++{ d:=base[i%len(base)]; os.MkdirAll(filepath.Join(dir,fmt.Sprint(i%100)),0o755); os.WriteFile(filepath.Join(dir,fmt.Sprint(i%100),fmt.Sprint(i,".md")),[]byte("# "+d.Title+"\n\n"+d.Text[:min(len(d.Text),1000)]+"\n\n- one\n- two **bold**\n"),0o644) }
 t0:=time.Now(); docs,rep,err:=ReadDir(context.Background(),dir,Limits{},nil); fmt.Println("read",len(docs),rep.Bytes,time.Since(t0),err)
 t0=time.Now(); g,_:=Build(docs); fmt.Println("build",time.Since(t0),g.Chunks())
 t0=time.Now(); fmt.Println(g.Holds(docs),time.Since(t0))
}
