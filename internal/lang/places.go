package lang

import "strings"

// places has a line for each country: what it is called, in English and German, and behind
// the colon its large cities and its parts. Who asks about Hamburg is answered by what is
// said of Germany. Names that are usually something else (Nice, Reading, Essen) are left out.
const places = `austria österreich eu: vienna wien graz linz salzburg innsbruck
belgium belgien eu: brussels brüssel antwerp antwerpen ghent gent bruges brügge liège lüttich flanders flandern wallonia
bulgaria bulgarien eu: sofia plovdiv varna
croatia kroatien eu: zagreb split rijeka dubrovnik
cyprus zypern eu: nicosia limassol
czechia tschechien eu: prague prag brno brünn ostrava
denmark dänemark eu: copenhagen kopenhagen aarhus odense aalborg
estonia estland eu: tallinn tartu
finland finnland eu: helsinki espoo tampere turku oulu
france frankreich eu: paris marseille lyon toulouse nantes strasbourg montpellier bordeaux lille rennes grenoble brittany normandy
germany deutschland eu: berlin hamburg munich münchen cologne köln frankfurt stuttgart düsseldorf leipzig dortmund bremen dresden hannover nuremberg nürnberg kiel bavaria bayern
greece griechenland eu: athens athen thessaloniki patras crete kreta
hungary ungarn eu: budapest debrecen szeged
ireland irland: dublin cork limerick galway waterford sligo kerry donegal mayo kilkenny wexford drogheda
italy italien eu: rome rom milan mailand naples neapel turin palermo genoa genua bologna florence florenz venice venedig verona
latvia lettland eu: riga
lithuania litauen eu: vilnius kaunas
luxembourg luxemburg eu:
malta eu: valletta
netherlands holland niederlande eu: amsterdam rotterdam utrecht eindhoven groningen maastricht hague haag
norway norwegen: oslo bergen trondheim stavanger
poland polen eu: warsaw warschau krakow krakau wroclaw breslau poznan gdansk danzig lodz
portugal eu: lisbon lissabon porto braga faro coimbra
romania rumänien eu: bucharest bukarest cluj timisoara
slovakia slowakei eu: bratislava kosice
slovenia slowenien eu: ljubljana maribor
spain spanien eu: madrid barcelona valencia seville sevilla zaragoza malaga bilbao granada
sweden schweden eu: stockholm gothenburg göteborg malmö uppsala
switzerland schweiz: zurich zürich geneva genf basel bern lausanne lucerne luzern
uk kingdom königreich großbritannien britain: england scotland wales schottland london manchester birmingham leeds glasgow edinburgh liverpool bristol sheffield cardiff newcastle nottingham leicester brighton belfast aberdeen swansea
usa america amerika: boston chicago seattle miami denver houston dallas philadelphia york angeles francisco
canada kanada: toronto montreal vancouver ottawa calgary
australia australien: sydney melbourne brisbane perth adelaide
islands inseln: mallorca majorca ibiza menorca tenerife teneriffa sardinia sardinien sicily sizilien corsica korsika canaries azores madeira aran achill skye orkney shetland hebrides sylt rügen`

// addPlaces makes each country near its cities, and what it is part of near both. The
// other way round it is not: what is said of Hamburg need not be so in Germany.
func addPlaces(of map[string]likeness, language string) {
	for line := range strings.Lines(places) {
		country, cities, _ := strings.Cut(line, ":")
		whole := Terms(country, language)
		for i, t := range append(whole, Terms(cities, language)...) {
			like := of[t.Text]
			for _, w := range whole {
				if w.Text != t.Text && (i >= len(whole) || t.Text != "eu") {
					like.near = append(like.near, w.Text)
				}
			}
			of[t.Text] = like
		}
	}
}
