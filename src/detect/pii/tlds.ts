/**
 * Top-level domains under which people have mail (iana.org/domains/root/db): every country's, and the generic
 * ones in wide use. A closed list keeps `icon@2x.png`, `a@b.weights` and unit files out.
 */
const COUNTRY =
  'ac ad ae af ag ai al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn ' +
  'co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gt gu gw gy ' +
  'hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md ' +
  'me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw ' +
  'py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ' +
  'ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw';
const GENERIC =
  'com org net edu gov mil int info biz name pro mobi asia tel travel jobs cat coop museum aero post xyz online site store tech app dev ' +
  'cloud blog shop club live life world email mail group team work agency digital studio design media news today company solutions ' +
  'services systems software network academy university school college health care clinic hospital doctor dental law legal consulting ' +
  'finance bank money capital ventures partners holdings global international center space website page link click social chat games ' +
  'art music photo photos video film tube fun cool vip top win one zone city berlin london paris nyc wien hamburg koeln bayern tokyo ' +
  'amsterdam swiss scot wales cymru eus gal bzh krd africa foundation ngo ong charity church community family house homes land estate ' +
  'properties rent auto cars bike energy green farm garden eco bio restaurant cafe pizza bar beer wine hotel holiday tours cruises ' +
  'flights taxi google apple microsoft amazon test example';

/** All of them, lower case. */
export function topLevelDomains(): ReadonlySet<string> {
  return new Set(`${COUNTRY} ${GENERIC}`.split(' '));
}
