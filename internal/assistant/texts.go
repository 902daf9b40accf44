package assistant

// builtIn are our texts by language. A disclosure says four things in every language: an
// AI answers, from our documents and with its sources, it may be wrong, and a person can
// be asked for. Change one and its version changes by itself.
var builtIn = map[string]Texts{
	"ar": {
		Title:      "خدمة العملاء",
		Greeting:   "كيف يمكننا مساعدتك؟",
		Disclosure: "أنت تتحدث مع مساعد يعمل بالذكاء الاصطناعي، وليس مع شخص. يجيب استنادًا إلى مستنداتنا ويعرض مصادره، لكنه قد يخطئ. يمكنك أن تطلب التحدث مع شخص في أي وقت.",
		Consent:    "أدرك أنني أتحدث مع ذكاء اصطناعي، وأوافق على معالجة رسائلي للرد على طلبي.",
	},
	"de": {
		Title:      "Kundenservice",
		Greeting:   "Wie können wir Ihnen helfen?",
		Disclosure: "Hier antwortet ein KI-Assistent, kein Mensch. Er stützt sich auf unsere Dokumente und zeigt seine Quellen, kann sich aber irren. Sie können jederzeit darum bitten, mit einem Menschen zu sprechen.",
		Consent:    "Mir ist bewusst, dass hier eine KI antwortet. Ich bin damit einverstanden, dass meine Nachrichten verarbeitet werden, um meine Anfrage zu beantworten.",
	},
	"en": {
		Title:      "Customer service",
		Greeting:   "How can we help?",
		Disclosure: "You are chatting with an AI assistant, not a person. It answers from our documents and shows its sources, but it can make mistakes. You can ask for a person at any time.",
		Consent:    "I understand that I am chatting with an AI, and I agree that my messages are processed to answer my request.",
	},
	"es": {
		Title:      "Atención al cliente",
		Greeting:   "¿En qué podemos ayudarle?",
		Disclosure: "Está conversando con un asistente de IA, no con una persona. Responde a partir de nuestros documentos y muestra sus fuentes, pero puede equivocarse. Puede pedir hablar con una persona en cualquier momento.",
		Consent:    "Entiendo que estoy conversando con una IA y acepto que mis mensajes se traten para responder a mi consulta.",
	},
	"fr": {
		Title:      "Service client",
		Greeting:   "Comment pouvons-nous vous aider\u00a0?",
		Disclosure: "Vous échangez avec un assistant IA, pas avec une personne. Il répond à partir de nos documents et indique ses sources, mais il peut se tromper. Vous pouvez à tout moment demander à parler à une personne.",
		Consent:    "Je comprends que j’échange avec une IA et j’accepte que mes messages soient traités pour répondre à ma demande.",
	},
	"he": {
		Title:      "שירות לקוחות",
		Greeting:   "איך אפשר לעזור?",
		Disclosure: "השיחה היא עם עוזר מבוסס בינה מלאכותית, לא עם אדם. הוא עונה על סמך המסמכים שלנו ומציג את מקורותיו, אך הוא עלול לטעות. אפשר לבקש לדבר עם נציג אנושי בכל עת.",
		Consent:    "ידוע לי שהשיחה מתנהלת עם בינה מלאכותית, ובהסכמתי הודעותיי יעובדו לצורך מענה לפנייתי.",
	},
	"it": {
		Title:      "Servizio clienti",
		Greeting:   "Come possiamo aiutarla?",
		Disclosure: "Sta parlando con un assistente basato sull’IA, non con una persona. Risponde in base ai nostri documenti e mostra le fonti, ma può commettere errori. Può chiedere di parlare con una persona in qualsiasi momento.",
		Consent:    "Ho compreso che sto parlando con un’IA e acconsento al trattamento dei miei messaggi per rispondere alla mia richiesta.",
	},
	"ja": {
		Title:      "カスタマーサービス",
		Greeting:   "どのようなご用件でしょうか？",
		Disclosure: "人ではなく、AIアシスタントがお答えします。当社の資料に基づいて回答し、出典を示しますが、誤ることもあります。いつでも担当者への取り次ぎをご依頼いただけます。",
		Consent:    "AIとの会話であることを理解し、お問い合わせへの回答のためにメッセージが処理されることに同意します。",
	},
	"nl": {
		Title:      "Klantenservice",
		Greeting:   "Hoe kunnen we u helpen?",
		Disclosure: "U chat met een AI-assistent, niet met een mens. De assistent antwoordt op basis van onze documenten en toont de bronnen, maar kan fouten maken. U kunt op elk moment om een medewerker vragen.",
		Consent:    "Ik begrijp dat ik met een AI chat en ga ermee akkoord dat mijn berichten worden verwerkt om mijn vraag te beantwoorden.",
	},
	"pl": {
		Title:      "Obsługa klienta",
		Greeting:   "W czym możemy pomóc?",
		Disclosure: "Rozmawiasz z asystentem AI, a nie z człowiekiem. Odpowiada on na podstawie naszych dokumentów i podaje źródła, ale może się mylić. W każdej chwili możesz poprosić o rozmowę z człowiekiem.",
		Consent:    "Rozumiem, że rozmawiam z AI, i zgadzam się na przetwarzanie moich wiadomości w celu udzielenia odpowiedzi.",
	},
	"pt": {
		Title:      "Atendimento ao cliente",
		Greeting:   "Como podemos ajudar?",
		Disclosure: "Esta conversa é com um assistente de IA, não com uma pessoa. Ele responde com base nos nossos documentos e mostra as fontes, mas pode cometer erros. É possível pedir para falar com uma pessoa a qualquer momento.",
		Consent:    "Entendo que esta conversa é com uma IA e concordo que as minhas mensagens sejam tratadas para responder ao meu pedido.",
	},
	"tr": {
		Title:      "Müşteri hizmetleri",
		Greeting:   "Size nasıl yardımcı olabiliriz?",
		Disclosure: "Bir insanla değil, bir yapay zekâ asistanıyla yazışıyorsunuz. Belgelerimize dayanarak yanıt verir ve kaynaklarını gösterir, ancak hata yapabilir. Dilediğiniz zaman bir kişiyle görüşmek isteyebilirsiniz.",
		Consent:    "Bir yapay zekâ ile yazıştığımı anlıyorum ve talebimin yanıtlanması için mesajlarımın işlenmesini kabul ediyorum.",
	},
	"zh": {
		Title:      "客户服务",
		Greeting:   "有什么可以帮您？",
		Disclosure: "与您对话的是 AI 助手，而非真人。它根据我们的文档作答并注明来源，但可能出错。您可以随时要求转接人工客服。",
		Consent:    "我了解与我对话的是 AI，并同意为答复我的请求而处理我的消息。",
	},
}
