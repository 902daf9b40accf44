package lang

import "strings"

// stopSet returns the stop words of a language, folded.
func stopSet(language string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(stopWords[language]) {
		set[Fold(w)] = true
	}
	return set
}

// stopWords are the words that texts of a language have in common. Negations of
// auxiliary verbs are in the English list because they stand in questions as often
// as in answers. [Language] counts the same words.
var stopWords = map[string]string{
	"en": `a about above after again against all am an and any are aren't as at be because been before being below
		between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each few for
		from further had hadn't has hasn't have haven't having he he's her here here's hers him his how how's i i'd i'll i'm
		i've if in into is isn't it it's its itself just let's me more most my no nor not now of off on once only or other
		our out over own s same she she's should shouldn't so some such t than that that's the their theirs them then there
		there's these they they're they've this those through to too under until up very was wasn't we we'd we'll we're
		we've were weren't what what's when where where's which while who who's whom why will with won't would wouldn't you
		you'd you'll you're you've your yours yes ok okay please thanks`,
	"de": `aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist bitte da
		damit danke dann das dass dein deine dem den denn der des deshalb die dies diese diesem diesen dieser dieses dich dir
		doch dort du durch ein eine einem einen einer eines er es etwas euch euer eure für gegen gibt habe haben hat hatte
		hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jedem jeden jeder
		jedes jetzt kann kannst können könnte kein keine keinem keinen keiner machen man mein meine meinem meinen meiner
		mich mir mit muss müssen nach nein nicht nichts noch nun nur ob oder ohne okay sehr sein seine seinem seinen seiner
		seit sich sie sind so sollte sondern sonst um und uns unser unsere unter viel vom von vor war waren warum was weil
		welche welchem welchen welcher welches wenn wer werde werden wie wieder will wir wird wirst wo wollen würde würden
		zu zum zur zwar zwischen über`,
	"fr": `a afin ai alors au aucun aussi autre autres aux avait avant avec avez avoir avons ayant bonjour c ça car ce ceci
		cela celle celles celui ces cet cette ceux chaque chez ci comme comment d dans de depuis des dois doit donc du elle
		elles en encore entre es est et était étaient été être eu eux fait faut ici il ils j je jusqu l la le les leur leurs
		lors lui là m ma mais me merci mes même mon n ne ni non nos notre nous on ont ou où oui par parce pas peu peut
		peuvent peux plus pour pourquoi puis puisque qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses
		si sinon son sont sous soyez suis sur t ta te tes toi ton tous tout toute toutes très tu un une vers via voici voilà
		vont vos votre vous y à`,
	"es": `a al algo algunas algunos ante antes aquí así aun aunque cada como cómo con contra cual cuál cuales cuando cuándo
		cuánta cuántas cuánto cuántos de del desde donde dónde dos e el él ella ellas ellos en entre era eran es esa esas ese eso esos esta está estaba
		están estar estas este esto estos estoy fue fueron gracias ha había han hasta hay hola la las le les lo los más me mi
		mis mí mucho muy nada ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por porque puede
		pueden puedo pues que qué quien quién se sea ser si sí sido siempre sin sobre son soy su sus también tan tanto te
		tengo tiene tienen todo todos tu tus tú un una unas uno unos usted ustedes y ya yo`,
	"it": `a ad agli ai al alla alle allo anche ancora avere c che chi ci ciao ciò come con cosa così cui d da dagli dai dal
		dalla dalle dallo degli dei del dell della delle dello deve devo di dopo dove e ed era erano essere essi fa fra già
		gli grazie ha hai hanno ho i il in io l la le lei li lo loro lui ma me mi mia mie miei mio molto ne negli nei nel
		nell nella nelle nello no noi non nostra nostro o ogni ora per perché perciò però più poi posso può possono prima
		qual quale quali quando quanto quella quelle quelli quello questa queste questi questo qui s sarà se sei senza si sia
		siamo siete solo sono sta stata stato su sua sue sugli sui sul sulla sulle sullo suo suoi tra tu tua tuo tutti tutto
		un una uno v vi voi vostra vostro è`,
	"pt": `a ainda ao aos aquela aquele aqui as até cada com como da das de dela dele deles depois do dos e é ela elas ele
		eles em entre era eram essa essas esse esses esta está estão estar estas estava este estes estou eu foi foram há isso
		isto já la lhe lo mais mas me mesmo meu meus minha minhas muito muitos na nas não nem no nos nossa nosso num numa nós
		o obrigado obrigada olá onde ou para pela pelas pelo pelos pode podem podemos por porque posso pra qual quais quando
		que quê quem se sem ser será seu seus sim sobre sou são só sua suas também te tem têm tenho ter teu tinha tu tua tudo
		um uma umas uns você vocês vos à às`,
	"nl": `aan al alle alleen alles als altijd ander andere ben bent bij daar dan dat de deze die dit doch doen door dus een
		en er ge geen geweest had hallo heb hebben hebt heeft hem het hier hij hoe hun ik in is ja je jij jou jouw jullie kan
		kun kunnen kunt maar me meer men met mij mijn moet moeten mag na naar niet niets nog nu of om omdat onder ons onze
		ook op over reeds te tegen toch toen tot u uit uw van veel voor waar waarom wanneer was wat we wel welk welke werd
		wie wij wil word worden wordt ze zei zelf zich zij zijn zo zonder zou zullen`,
	"ru": `а без более больше бы был была были было быть в вам вас ваш ваша ваши ведь во вот все всего всех вы где да даже
		для до его ее если есть еще же за здесь здравствуйте и из или им их к как какая какие какой когда кто ли либо меня
		мне может можно мой моя мои мы на надо нам нас наш не него нее нет ни них но ну о об один он она они оно от по под
		пожалуйста после потому при про с сам свой себя со спасибо так также такой там те тебя тем то того тоже той только
		том тот тут ты у уже хотя чего чем через что чтобы чье эта эти это этого этой этом этот я`,
	"sv": `alla allt att av bara blev bli blir den denna deras dess det detta dig din dina ditt du där då efter ej eller en
		er era ett från för genom ha hade han har hej henne hennes hon honom hur här i icke in inte jag ju kan kunde man med
		mellan men mig min mina mitt mot mycket måste ni nu när någon något några och om oss på samma sedan ska skall som så
		tack till under upp ut utan vad var vara varför varit vem vi vid vilken vill är år åt över`,
	"da": `af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din dine disse dit dog du efter
		eller en end er et for fra ham han hans har havde hej hende her hos hun hvad hvis hvor hvordan hvorfor hvornår i ikke
		ind jeg jer jo kan kunne man mange med meget men mig min mine mit mod må ned noget nogle nu når og også om op os over
		på selv sig sin sine sit skal skulle som sådan tak til ud under var vi vil ville vor være været`,
	"no": `alle at av bare ble bli blir da de deg dem den denne der deres det dette din dine disse ditt du eller en enn er et
		ett etter for fordi fra før ha hadde han hans har hei henne her hos hun hva hvem hver hvilken hvis hvor hvordan
		hvorfor i ikke inn jeg kan kom kunne man mange med meg meget mellom men mer min mine mitt mot mye må nei noe noen nå
		når og også om opp oss over på seg selv si sin sine sitt skal skulle slik som så takk til ut uten var ved vi vil
		ville vår være vært`,
	"fi": `ei eivät ehkä en enemmän ennen et että hän hänen he heidän hei ja joka jos jotka jossa kaikki kanssa kiitos koska
		kuin kuinka kun kuka me mutta myös mikä miksi missä miten mitä mukaan minä minun minulla mun ne niin noin nyt näin nämä
		ole olen olet oli olisi olivat olla on onko ovat saa se sen siellä sillä sinä sitä sitten tai te tämä tämän tässä
		tähän tuo tulee vai vain vaan voi voiko voin voit yli`,
	"hu": `a abban ahhoz ahogy aki akkor alatt amely ami az azok azon azt azért be benne csak de e egy egyéb el előtt elő
		ennek erre ez ezek ezen ezt ezzel fel ha hanem hiszen hogy hogyan igen ill illetve is itt kell kellett ki kívül
		le lehet lenne lesz majd meg mert mi mint mit most már más még mi mely mikor milyen miért minden nagyon ne nekem nem
		nincs olyan ott pedig s saját sem szia szerint által számára talán tehát te tud vagy vagyok van vannak volt voltak
		át én és így ön össze úgy új`,
	"ro": `a ai al ale am ar are as asta au avea avem aveți ați aș bună ca care ce cel cele cine cu cum când cât dacă dar de
		deci deja despre din dintr după e ea ei el ele era este eu fi fie fost face fără iar la le li lor lui mai mea mei
		meu mi mulțumesc mă ne nici noi nostru nu o ori orice pe pentru pot prin printr sa sau se sunt și spre să său te tu
		un una unde unei unor unui va vă vor voi vreau`,
	"tr": `acaba ama ancak artık aslında az bana bazı belki ben beni benim beri bile bir biri biz bize bizim bu buna bunda
		bunlar bunu bunun burada çok çünkü da daha dahi de defa değil diye dolayı en gibi göre hangi hatta hem hep hepsi her
		hiç için ile ilgili ise kaç kadar karşı kendi ki kim mi mı mu mü musunuz mısınız nasıl ne neden nedir nerede nereye niçin
		o olan olarak oldu olduğu olur on ona onlar onu onun sen senin siz sizin sonra şey şu tarafından tüm var ve veya ya
		yani yok`,
	"ar": `ان او اذا اكثر الا التي الذي الى ام انا انت انه اي ايضا اين بعد بعض به بها بين تم تكون ثم حتى حول حيث خلال دون ذلك
		ذات سوف شكرا ضمن عام عبر عليه عليها عن عند عندما غير فقط في فيه فيها قبل قد كان كانت كل كم كما كيف لا لان لدى لقد لكن لم
		لماذا لن له لها ليس ما ماذا متى مثل مع من منذ منها منه نحن نعم هذا هذه هل هم هناك هو هي وقد وكان ولا وما ومن وهو وهي يا
		يتم يكون على أن إن`,
	"pl": `a aby albo ale ani bardzo bez bo by był była było były być będzie cię co czy czego czym dla do dlaczego dziękuję
		gdy gdzie go i ich ile im inne iż ja jak jaka jakie jako jego jej jest jestem jeszcze jeśli już każdy kiedy kto która
		które którego który których ma mam mi mnie mogę moje może można mój mu my na nad nam nas nasz nie niego nim niż o od
		ona one oni oraz po pod proszę przed przez przy są się sobie swoje ta tak także tam te tego tej ten to tu tych tylko
		tym u w was wasz we więc wszystko z za ze że żeby`,
	"uk": `а або але без би був була були було бути в вам вас ваш ви від вона вони все всі він воно де для до дуже є є еще
		же з за зі і із її його як яка який які якщо ж коли кто ли мене мені ми мій може можна на над нам нас не нема немає
		нею ні ним них о один по при про с свій себе та так також там те ти тобто той тому тільки то того у хто це цей ці
		через чи чому що щоб я`,
	"vi": `anh bạn bao bị bởi các cái cần chỉ cho có còn của cũng đã đang đây đến để đi đó được gì hay hơn không khi là làm
		lại lên mà mình mỗi một này nào nên nếu người như nhưng những nó ở phải qua ra rất rồi sao sẽ sự tại tất thế thì tôi
		trên trong trước từ và vào về vì với xin`,
	"el": `αλλά αν αντί από αυτά αυτή αυτό αυτός αυτών αυτήν για γιατί δε δεν εάν εγώ εδώ είμαι είναι είχε ένα έναν ένας
		εσείς εσύ εκεί έχει έχετε έχω ή ήταν η θα και κάθε καλά κατά μα μας με μετά μη μην μια μία μου μπορεί μπορώ να ο οι
		όπως όταν ότι ποια ποιο ποιος που πού πρέπει προς πως πώς σας σε στα στη στην στις στο στον στους τα της την τη τι τις
		το τον του τους των τότε υπό ως`,
	"hi": `अपना अपनी अपने अब आप आपका आपके इस इसका इसकी इसके इसे इन उन उनका उनकी उनके उस उसका उसकी उसके एक एवं ऐसे और कर करता करते
		करना करने कि किया किस की कुछ के को कोई कौन क्या क्यों कैसे कब कहाँ गई गए गया चाहिए जब जहां जाता जाती जाते जाने जैसे जो तक तथा तो था
		थी थे दिया द्वारा न नहीं ने पर फिर बहुत भी मुझे में मेरा मेरी मेरे मैं यदि यह यहां या ये रहा रहे लिए वह वाले वे सकता सकते सभी साथ से हम
		हमारे ही हुआ हुई हुए है हैं हो होता होती होते होना`,
}
